"""What a check says of an import beforehand: who can be reached, why not the rest, by whom."""

import pytest
from django_q.models import OrmQ

from patients import suppressions, tasks
from patients.csv_import import forecast, runs
from patients.import_pages import outlook
from patients.models import ImportRun, Patient, Suppression
from practices import job_tries
from practices.journal import Actor
from practices.models import Practice
from sightsync.lib import clock
from tests import engine, imports

pytestmark = pytest.mark.django_db
ACTOR = Actor.system("import")
HEADER = "first_name,last_name,phone_number,email,do not contact,deceased,email ok\n"


def number(last: int) -> str:
    return f"07700900{last:03d}"


def e164(last: int) -> str:
    return f"+447700900{last:03d}"


def checked(practice: Practice, text: str) -> ImportRun:
    run = runs.upload(
        practice=practice, file_name="a.csv", content=text.encode(), user=None, actor=ACTOR
    )
    runs.check(run=run, actor=ACTOR)
    return run


@pytest.fixture
def known(practice: Practice) -> None:
    """People on record whom nobody may or can reach, each for another reason."""
    now = clock.now()
    reasons = {
        1: {"opted_out_at": now, "opted_out_source": "staff"},
        2: {"archived_at": now},
        3: {"deceased_at": now},
        4: {"phone_wrong_at": now},
    }
    for last, why in reasons.items():
        engine.patient(practice, e164(last), last_name="Lee", **why)
    engine.patient(practice, "+441184960005", last_name="Lee", phone_kind="landline", tps_listing=1)


def test_it_says_who_can_be_reached_and_why_not_the_rest(practice: Practice, known: None) -> None:
    Suppression.objects.create(
        practice=practice,
        kind="phone",
        hash=suppressions.phone_hash(e164(6)),
        source="erasure",
        created_at=clock.now(),
    )
    run = checked(
        practice,
        HEADER
        + "".join(f"Jane,Lee,{number(last)},,,,\n" for last in (1, 2, 3, 4))
        + "Jane,Lee,01184960005,,,,\n"
        + f"Supp,Lee,{number(6)},,,,\n"
        + f"Told,Lee,{number(7)},,yes,,\n"
        + f"Dead,Lee,{number(8)},,,yes,\n"
        + f"Good,Lee,{number(9)},,,,\n"
        + "Mail,Lee,,m@example.org,,,\n"
        + "Only,Lee,,n@example.org,,,no\n",
    )
    assert run.forecast["reasons"] == {
        "opted_out": 3,
        "archived": 1,
        "deceased": 2,
        "phone_wrong": 1,
        "tps_listed": 1,
        "suppressed": 1,
    }
    assert run.forecast["contactable"] == 2
    assert set(run.forecast["reasons"]) < set(outlook.WHY_NOT)
    shown = outlook.Outlook.of(run)
    assert shown.reasons[0] == ("Opted out", 3)
    assert shown.contactable + sum(count for _, count in shown.reasons) == shown.rows


@pytest.fixture
def large(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> ImportRun:
    """More rows than a person should wait for."""
    monkeypatch.setattr(forecast, "AT_ONCE", 3)
    rows = "".join(f"Jane{last},Lee,{number(last)},,,,\n" for last in range(5))
    return checked(practice, HEADER + rows)


def test_of_a_large_file_a_job_reckons_it(large: ImportRun) -> None:
    assert outlook.Outlook.of(large).is_working
    imports.run_jobs()
    large.refresh_from_db()
    assert outlook.Outlook.of(large).new == large.forecast["contactable"] == 5
    assert large.lease_until is None and not Patient.objects.exists()


def test_a_check_that_no_worker_survives_says_so(large: ImportRun) -> None:
    OrmQ.objects.all().delete()
    for _ in range(job_tries.LIMIT):
        job_tries.begin(f"check_import:{large.pk}")
    ImportRun.objects.update(lease_until=clock.real_now() - forecast.LEASE)
    tasks.check_import(str(large.pk))
    large.refresh_from_db()
    assert outlook.Outlook.of(large).has_failed
    runs.start(run=large, user=None, actor=ACTOR)
    imports.run_jobs()
    assert Patient.objects.count() == 5
