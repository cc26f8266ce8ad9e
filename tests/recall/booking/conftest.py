"""A diary of Acuity Opticians and people to book into it."""

from collections.abc import Callable
from datetime import date, time
from typing import Any

import pytest
from django.test import Client

from patients import phone, suppressions
from patients.models import Patient
from practices.journal import Actor
from recall.models import Diary, DiaryHours
from sightsync.lib import clock
from tests.systems import connect, connection, optix, read

__all__ = ["connect", "connection", "optix", "read"]
STAFF = Actor.system("test")


@pytest.fixture
def diary_row(practice) -> Diary:
    """Monday to Friday, nine to half past five."""
    return open_diary(practice, "Room 1")


def open_diary(practice, name: str, opens=time(9), closes=time(17, 30)) -> Diary:
    diary = Diary.objects.create(practice=practice, name=name)
    DiaryHours.objects.bulk_create(
        DiaryHours(practice=practice, diary=diary, weekday=day, opens=opens, closes=closes)
        for day in range(5)
    )
    return diary


@pytest.fixture
def make_patient(practice) -> Callable[..., Patient]:
    """A patient who has been due since June, with a mobile of their own."""
    made = 0

    def make(**fields: Any) -> Patient:
        nonlocal made
        made += 1
        number = fields.pop("phone_number", f"+4477009{made:05d}")
        values = {
            "practice": practice,
            "first_name": "Jane",
            "last_name": "Roe",
            "phone_number": number,
            "phone_kind": phone.parse(number).kind if number else "",
            "phone_is_drama": True,
            "phone_hash": suppressions.phone_hash(number) if number else None,
            "next_clinical_due_date": date(2026, 6, 1),
            "due_source": "default_interval",
            "created_at": clock.now(),
            "updated_at": clock.now(),
            **fields,
        }
        return Patient.objects.create(**values)

    return make


@pytest.fixture
def jane(make_patient) -> Patient:
    return make_patient()


@pytest.fixture
def browser() -> Client:
    """Refuses to be helped: CSRF is checked, so a page that needs a cookie would fail."""
    return Client(enforce_csrf_checks=True)
