"""The list that `bench_import` brings in: the same each time, two rows in a hundred bad, numbers
in the nine spellings in which exports have them.
"""

import csv
import io
import random
from collections.abc import Iterator
from datetime import date, timedelta

HEADER = (
    "Px No",
    "Forename",
    "Surname",
    "Mobile",
    "E-mail",
    "D.O.B.",
    "Last Exam",
    "Recall Category",
    "NHS No",
)
_SPELLINGS = (
    "0{a} {b}",
    "0{a}{b}",
    "+44{a}{b}",
    "+44 {a} {b}",
    "0044{a}{b}",
    "+44 (0){a} {b}",
    "(0{a}) {b}",
    "{a}{b}",
    "0{a}-{b}",
)
_IN_USE = tuple(range(7400, 7410)) + tuple(range(7710, 7750)) + tuple(range(7810, 7820))
_RISKS = ("standard", "standard", "standard", "diabetic", "glaucoma_suspect", "Contact lenses")
_FIRST = ("Jane", "Tom", "Siân", "Mohammed", "Adaeze", "Łukasz", "Priya", "George", "Niamh", "Wei")
_LAST = ("Smith", "O’Connor", "Patel", "Jones", "Nowak", "Okafor", "D'Souza", "Lee", "Van Dyk")
_DOMAINS = ("example.org", "example.com")
_BAD = (
    {"Mobile": "12"},
    {"D.O.B.": "45/13/1980"},
    {"Forename": ""},
    {"NHS No": "943 476 5918"},
    {"E-mail": "nobody at home"},
)


def rows(count: int, *, bad: float = 0.02, years_ago: int = 0) -> Iterator[list[str]]:
    """The rows, header not included. The list of some years ago has other addresses and earlier
    examinations.
    """
    # Each of its own, so that a row is the same in a shorter list and in one without bad rows.
    dialling, chance, spoiling = (random.Random(20261121 + n) for n in range(3))
    day = date(2026, 11, 1)
    mobiles = list(dict.fromkeys(_mobile(dialling) for _ in range(count + count // 10)))
    for place, mobile in enumerate(mobiles[:count]):
        born = day - timedelta(days=chance.randrange(4_000, 33_000))
        seen = day - timedelta(days=chance.randrange(1, 2_500) + years_ago * 365)
        row = {
            "Px No": f"{100_000 + place}",
            "Forename": f"{chance.choice(_FIRST)}",
            "Surname": f"{chance.choice(_LAST)}-{place % 977}",
            "Mobile": chance.choice(_SPELLINGS).format(a=mobile[:4], b=mobile[4:]),
            "E-mail": f"p{place}@{_DOMAINS[years_ago]}" if place % 3 else "",
            "D.O.B.": f"{born:%d/%m/%Y}",
            "Last Exam": f"{seen:%d/%m/%Y}" if place % 2 else seen.isoformat(),
            "Recall Category": chance.choice(_RISKS),
            "NHS No": nhs_number(place) if place % 2 else "",
        }
        if spoiling.random() < bad:
            row.update(spoiling.choice(_BAD))
        yield [row[name] for name in HEADER]


def _mobile(chance: random.Random) -> str:
    return f"{chance.choice(_IN_USE)}{chance.randrange(10**6):06d}"


def nhs_number(place: int) -> str:
    """A number that passes its check."""
    digits = f"{400_000_000 + place * 11 + place % 7:09d}"
    total = sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=True))
    check = (11 - total % 11) % 11
    return nhs_number(place + 1_000_003) if check == 10 else f"{digits}{check}"


def content(count: int, *, bad: float = 0.02, years_ago: int = 0) -> bytes:
    """The list as an export writes it."""
    target = io.StringIO(newline="")
    target.write(",".join(HEADER) + "\n")
    for row in rows(count, bad=bad, years_ago=years_ago):
        target.write(",".join(f'"{cell}"' if "," in cell else cell for cell in row) + "\n")
    return target.getvalue().encode("utf-8-sig")


def read(text: bytes) -> Iterator[list[str]]:
    """The floor's reading: nothing but Python's own csv."""
    source = csv.reader(io.TextIOWrapper(io.BytesIO(text), "utf-8-sig", newline=""))
    next(source)
    return source
