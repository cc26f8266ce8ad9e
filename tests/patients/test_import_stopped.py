"""Whoever started an import that stops hears of it by email."""

import pytest
from django.test import Client

from patients import tasks
from patients.csv_import import work
from patients.models import ImportRun, ImportState
from practices import job_tries
from practices.models import Membership, User
from sightsync.lib import clock
from tests import imports
from tests.systems import mails

__all__ = ["mails"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def stopped(client: Client, alice: User) -> ImportRun:
    """Started by alice; no worker survives it."""
    client.force_login(alice)
    run = imports.draft(client)
    client.post(imports.at(run, "start"))
    for _ in range(job_tries.LIMIT):
        job_tries.begin(f"import_file:{run.pk}:{work.position(run.pk)}")
    ImportRun.objects.update(lease_until=clock.real_now() - work.LEASE)
    return run


def test_it_is_written_to_once_with_the_way_to_the_page(stopped: ImportRun, mails) -> None:
    imports.run_jobs()
    tasks.import_file(str(stopped.pk))
    imports.run_jobs()
    stopped.refresh_from_db()
    assert stopped.state == ImportState.FAILED
    [letter] = mails
    assert letter.to == ["alice@example.org"]
    assert letter.subject == "Acuity Opticians: your import has stopped"
    assert imports.at(stopped) in letter.body and "0 of 2 rows" in letter.body
    assert "Jane" not in letter.body


def test_nobody_is_written_to_who_has_left(stopped: ImportRun, mails) -> None:
    Membership.objects.all().delete()
    imports.run_jobs()
    assert mails == []
