"""The list of patients: what each filter and each way of searching finds."""

from datetime import date

import pytest

from patients import listing
from patients.listing import Asked
from practices.models import Practice
from sightsync.lib import clock
from tests import engine

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(practice: Practice, other_practice: Practice) -> None:
    engine.patient(practice, "+447700900101", first_name="Jane", last_name="Osei")
    engine.patient(
        practice,
        "+447700900102",
        first_name="Tom",
        last_name="Ferreira",
        risk_category="diabetic",
        opted_out_at=clock.now(),
        external_id="A77",
    )
    engine.patient(
        practice,
        "",
        email="zoe@example.org",
        first_name="Zoë",
        last_name="Hart",
        next_clinical_due_date=date(2026, 12, 1),
    )
    engine.patient(
        practice,
        "+441184960123",
        first_name="Ida",
        last_name="Cole",
        phone_kind="fixed_line",
        tps_listing=1,
    )
    engine.patient(practice, "+447700900109", first_name="Old", deceased_at=clock.now())
    engine.patient(other_practice, "+447700900101", first_name="Jane", last_name="Osei")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (Asked(), ["Ida", "Jane", "Tom", "Zoë"]),
        (Asked(q="jane osei"), ["Jane"]),
        (Asked(q="07700 900101"), ["Jane"]),
        (Asked(q="0101"), ["Jane"]),
        (Asked(q="a77"), ["Tom"]),
        (Asked(q="nobody"), []),
        (Asked(risk="diabetic"), ["Tom"]),
        (Asked(due="overdue"), ["Ida", "Jane", "Tom"]),
        (Asked(due="6"), ["Ida", "Jane", "Tom"]),
        (Asked(due="12"), []),
        (Asked(due="soon"), ["Zoë"]),
        (Asked(contact="yes"), ["Jane", "Zoë"]),
        (Asked(contact="no"), ["Ida", "Tom"]),
        (Asked(contact="opted_out"), ["Tom"]),
        (Asked(contact="tps"), ["Ida"]),
    ],
)
def test_a_filter_finds_the_patients_it_names(
    practice: Practice, people: None, asked: Asked, found: list[str]
) -> None:
    names = [patient.first_name for patient in listing.patients(practice, asked)]
    assert sorted(names) == found
