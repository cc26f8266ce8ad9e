"""The demo practice, who signs in to it, and its patients, all through the ordinary doors.

Deterministic: the same day gives the same people. It must not run in live mode.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dateutil.relativedelta import relativedelta

from patients import records
from patients.cleaning import PatientData
from patients.models import Patient, RiskCategory
from practices import team
from practices.journal import Actor
from practices.models import Plan, Practice, Role, SubscriptionStatus, User
from recall import opening
from recall.demo import names
from sightsync.lib import clock

OWNER = "demo@sightsync.example"
COLLEAGUE = "reception@sightsync.example"
PASSWORD = "clear-sight-demo"  # noqa: S105  # printed on purpose; the demo is refused in live mode
PATIENTS = 400
ACTOR = Actor.operator("demo")

_PHONE = "+441184960142"  # Reading, from the range that Ofcom keeps for fiction
_NUMBER = "+447700900{:03d}"
_LANDLINE = "+441184960{:03d}"
_SEED = 20261121
_LAST_PERSONA = 21
JOINED_AGO = timedelta(days=78)

# Of a hundred patients.
_RISKS = (
    [RiskCategory.STANDARD] * 58
    + [RiskCategory.DIABETIC] * 14
    + [RiskCategory.GLAUCOMA_SUSPECT] * 9
    + [RiskCategory.CONTACT_LENS] * 8
    + [RiskCategory.MYOPIA_CHILD] * 7
    + [RiskCategory.OTHER_CLINICAL] * 4
)
_AGES: dict[str, tuple[int, int]] = {
    RiskCategory.STANDARD: (5, 91),
    RiskCategory.DIABETIC: (38, 86),
    RiskCategory.GLAUCOMA_SUSPECT: (47, 89),
    RiskCategory.CONTACT_LENS: (17, 54),
    RiskCategory.MYOPIA_CHILD: (7, 15),
    RiskCategory.OTHER_CLINICAL: (29, 84),
}
_INTERVALS: dict[str, int] = {RiskCategory.STANDARD: 24, RiskCategory.MYOPIA_CHILD: 6}
_USUAL_INTERVAL = 12
_NOTES: dict[str, tuple[str, ...]] = {
    RiskCategory.DIABETIC: (
        "Type 2, diagnosed 2014. Background retinopathy R1M0 both eyes, stable.",
        "Type 1. Attends hospital screening every spring.",
        "Type 2, diet controlled. No retinopathy seen.",
    ),
    RiskCategory.GLAUCOMA_SUSPECT: (
        "IOP 23/24, repeated 22/23. Mother has glaucoma. Full fields.",
        "C/D 0.6 right, 0.5 left. Under review, no treatment.",
    ),
    RiskCategory.MYOPIA_CHILD: ("Progressed 0.75 D in a year. Myopia control lenses discussed.",),
    RiskCategory.OTHER_CLINICAL: (
        "Dry macular degeneration, left. Amsler grid given.",
        "On hydroxychloroquine since 2019.",
    ),
}


@dataclass(frozen=True, slots=True)
class Person:
    """One made-up patient before it is written. `overdue_days` is negative while not yet due."""

    number: int
    data: PatientData
    overdue_days: int

    @property
    def is_for_the_tour(self) -> bool:
        """One of the first hundred whose number ends in a persona's digits: left untouched."""
        return 1 <= self.number <= _LAST_PERSONA


def exists() -> bool:
    return User.objects.filter(email=OWNER).exists()


def practice() -> Practice:
    """The demo practice, once it exists."""
    return Practice.objects.get(memberships__user__email=OWNER)


def sign_in() -> str:
    """The owner's password, or a note that it is no longer the printed one."""
    owner = User.objects.filter(email=OWNER).first()
    if owner is not None and not owner.check_password(PASSWORD):
        return "the one that you chose"
    return PASSWORD


def open_practice() -> Practice:
    """Acuity Opticians in Reading, its owner and its receptionist."""
    opened = opening.open_practice(
        name="Acuity Opticians",
        owner_email=OWNER,
        owner_password=PASSWORD,
        plan=Plan.GROWTH,
        actor=ACTOR,
    )
    practice = opened.practice
    practice.address = "14 Mill Lane, Reading RG1 2QT"
    practice.phone_number = practice.caller_number = practice.whatsapp_number = _PHONE
    practice.email = "hello@acuity.example"
    practice.subscription_status = SubscriptionStatus.ACTIVE
    practice.save(
        update_fields=[
            "address",
            "phone_number",
            "caller_number",
            "whatsapp_number",
            "email",
            "subscription_status",
        ]
    )
    opened.owner.full_name = "Helen Marsh"
    opened.owner.save(update_fields=["full_name"])
    team.add_person(
        practice=practice,
        email=COLLEAGUE,
        full_name="Tom Reid",
        role=Role.STAFF,
        password=PASSWORD,
        actor=ACTOR,
    )
    opening.add_diary(practice=practice, name="Testing room 2", actor=ACTOR)
    return practice


def patients(today: date) -> Iterator[Person]:
    """All patients as they were before anybody was recalled."""
    for number in range(PATIENTS):
        yield _person(number, today, random.Random(_SEED + number))  # noqa: S311  # not a secret


def write(practice: Practice, people: list[Person], at: datetime) -> dict[int, Patient]:
    """Enter the patients one by one, a few seconds apart from `at` on; by their number."""
    written = {}
    for person in people:
        with clock.showing(at + timedelta(seconds=7 * person.number)):
            result = records.upsert(practice=practice, data=person.data, source="csv", actor=ACTOR)
        written[person.number] = result.patient
    return written


def _person(number: int, today: date, chance: random.Random) -> Person:
    risk = _RISKS[(number * 37 + 11) % len(_RISKS)]
    youngest, oldest = _AGES[risk]
    age = chance.randint(youngest, oldest)
    born = today - relativedelta(years=age, days=chance.randrange(365))
    first = chance.choice(names.first_names(born.year))
    last = names.SURNAMES[(number * 29 + chance.randrange(3)) % len(names.SURNAMES)]
    months = _interval(risk, age)
    overdue = _overdue_days(number, months, chance)
    data: PatientData = {
        "external_id": f"AC-{10001 + number}",
        "first_name": first,
        "last_name": last,
        "date_of_birth": born,
        "risk_category": risk,
        "phone_number": _NUMBER.format(number),
    }
    if not _is_never_tested(number):
        tested = today - timedelta(days=overdue) - relativedelta(months=months)
        data["last_eye_test_date"] = max(tested, born)
    if risk in _NOTES:
        data["clinical_notes"] = chance.choice(_NOTES[risk])
    _contact(data, number)
    return Person(number, data, overdue)


def _interval(risk: str, age: int) -> int:
    if risk == RiskCategory.STANDARD and (age < 16 or age >= 75):
        return 12
    return _INTERVALS.get(risk, _USUAL_INTERVAL)


def _overdue_days(number: int, months: int, chance: random.Random) -> int:
    """Everybody of the tour is overdue; of the others two in five, a few by years.

    Nobody was tested since the practice joined, which is before the demo's past begins.
    """
    if number <= _LAST_PERSONA:
        return chance.randint(40, 500)
    kind = chance.random()
    if kind < 0.32:
        return chance.randint(20, 240)
    if kind < 0.42:
        return chance.randint(240, 1100)
    return -chance.randint(5, months * 30 - JOINED_AGO.days - 5)


def _is_never_tested(number: int) -> bool:
    return number > _LAST_PERSONA and number % 97 == 0


def _contact(data: PatientData, number: int) -> None:
    """Most have a mobile and an email; some only one of them, some a landline."""
    plain = f"{data['first_name']}.{data['last_name']}.{number}".lower()
    ascii_only = "".join(letter for letter in plain if letter.isascii() and letter not in "’'")
    email = f"{ascii_only}@example.org"
    if number <= _LAST_PERSONA or number % 9:
        data["email"] = email
    if number > _LAST_PERSONA and number % 31 == 0:
        data["phone_number"] = _LANDLINE.format(number)
    if number > _LAST_PERSONA and number % 83 == 0:
        data["phone_number"], data["email"] = "", email
