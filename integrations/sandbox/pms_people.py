"""The patients of the sandbox's practice management systems, as messy as the real ones: without a
number, with a landline only, with a number nobody can ring, two on one number, opted out, dead.

Made from a count and a day, the same every time. Who is what is by the number of the record.
"""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import cycle, islice

_FIRST_NAMES = (
    "Aisha Amelia Arthur Beatrice Callum Chloe Daniel Dylan Edith Eleanor Fatima Finlay George"
    " Grace Hannah Harpreet Isla Jack James Joan Kwame Leila Lucy Margaret Maureen Mohammed Nia"
    " Noah Oliver Olivia Patricia Priya Rhys Ruth Samuel Sian Sophie Stanley Theo Violet"
)
_LAST_NAMES = (
    "Adeyemi Ahmed Armstrong Bailey Begum Bennett Campbell Chowdhury Clarke Davies Edwards Evans"
    " Fraser Gallagher Griffiths Hughes Hussain Jenkins Kaur Kelly Khan Lewis MacDonald Murphy"
    " Nowak O'Brien Okafor Patel Price Reid Roberts Sharma Singh Stewart Taylor Thomas Walker"
    " Williams Wilson Wright"
)
TITLES = ("Mr", "Mrs", "Miss", "Ms", "Dr", "")
RISKS = ("standard",) * 14 + ("diabetic",) * 3 + ("contact_lens",) * 2 + ("glaucoma_suspect",)
MONTHS = {"standard": 24}
BAD_NUMBERS = ("07700 90", "n/a", "ask daughter", "00000000000", "0906 123 4567")
DRAMA_MOBILES = 1000
"""The numbers that Ofcom keeps for fiction are given out first, one each."""


@dataclass(slots=True, kw_only=True)
class Px:
    """One record. `says_no` holds channels, or ``all``. `state`: active, archived, deceased."""

    number: int
    title: str
    first: str
    last: str
    born: date | None
    mobile: str
    home: str
    email: str
    nhs: str
    last_exam: date | None
    due: date | None
    risk: str
    says_no: frozenset[str]
    state: str
    updated_at: datetime


def population(server: str, count: int, today: date) -> dict[int, Px]:
    """Records 1 to `count` by number."""
    found: dict[int, Px] = {}
    for number in range(1, count + 1):
        found[number] = _person(server, number, today, found.get(number - 1))
    return found


def _person(server: str, number: int, today: date, before: Px | None) -> Px:
    dice = random.Random(f"{server} {number}")  # noqa: S311 (play, not secrets)
    first, last = dice.choice(_FIRST_NAMES.split()), dice.choice(_LAST_NAMES.split())
    shares = number % 29 == 0 and before is not None and bool(before.mobile)
    if shares and before is not None:
        last = before.last
    risk = dice.choice(RISKS)
    age = dice.randint(9, 17) if shares else dice.randint(18, 94)
    risk = "myopia_child" if shares and number % 2 else risk
    last_exam = None if number % 67 == 0 else today - timedelta(days=dice.randint(20, 2000))
    return Px(
        number=number,
        title="" if shares else dice.choice(TITLES),
        first=_typed(first, number),
        last=_typed(last, number),
        born=None if number % 71 == 0 else today - timedelta(days=age * 365 + dice.randint(1, 364)),
        mobile=before.mobile if shares and before is not None else _mobile(number),
        home=_home(number),
        email=_email(first, last, number),
        nhs=_nhs(number) if number % 3 == 0 else "",
        last_exam=last_exam,
        due=_due(last_exam, risk) if number % 5 else None,
        risk=risk,
        says_no=_says_no(number),
        state=_state(number),
        updated_at=datetime.combine(
            today - timedelta(days=dice.randint(2, 700)), time(dice.randint(9, 17)), UTC
        ),
    )


def _typed(name: str, number: int) -> str:
    """As the front desk typed it."""
    if number % 31 == 0:
        return name.upper()
    return f"{name} " if number % 43 == 0 else name


def _mobile(number: int) -> str:
    if number % 37 == 0 or number % 23 == 0:
        return ""
    if number % 101 == 0:
        return next(islice(cycle(BAD_NUMBERS), number // 101, None))
    digits = f"077009{number % 1000:05d}" if number < DRAMA_MOBILES else f"07400{number:06d}"
    if number % 13 == 0:
        return f"+44 {digits[1:5]} {digits[5:]}"
    if number % 19 == 0:
        return f"{digits[:5]}-{digits[5:]} (work)"
    return f"{digits[:5]} {digits[5:]}" if number % 2 else digits


def _home(number: int) -> str:
    if number % 37 == 0 or (number % 23 and number % 11):
        return ""
    return f"0118 496 {number % 1000:04d}"


def _email(first: str, last: str, number: int) -> str:
    if number % 5 < 2:
        return ""
    if number % 89 == 0:
        return f"{first}.{last}.example.org"
    return f"{first}.{last}.{number}@example.org".lower().replace("'", "")


def _nhs(number: int) -> str:
    """From the range that is kept for tests: 999, and a check digit."""
    for serial in range(number, number + 2):
        digits = f"999{serial * 7 % 1_000_000:06d}"
        check = 11 - sum(int(each) * (10 - place) for place, each in enumerate(digits)) % 11
        if check != 10:
            return f"{digits[:3]} {digits[3:6]} {digits[6:]}{check % 11}"
    return ""


def _due(last_exam: date | None, risk: str) -> date | None:
    return (
        None if last_exam is None else last_exam + timedelta(days=MONTHS.get(risk, 12) * 365 // 12)
    )


def _says_no(number: int) -> frozenset[str]:
    if number % 83 == 0:
        return frozenset({"all"})
    return frozenset({"sms", "email"}) if number % 47 == 0 else frozenset()


def _state(number: int) -> str:
    if number % 97 == 0:
        return "deceased"
    return "archived" if number % 53 == 0 else "active"
