"""`sync_pms`: what it prints and with what it ends."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from integrations.models import Kind
from patients.models import Patient, SyncRun, SyncState
from patients.sync import claim, plan
from tests.systems import connect, connection, optix

__all__ = ["connect", "connection", "optix"]
pytestmark = pytest.mark.django_db


def run(*words: str) -> str:
    out = StringIO()
    call_command("sync_pms", *words, stdout=out, stderr=out)
    return out.getvalue()


def test_prints_the_counts(practice, connection, optix) -> None:
    said = run()
    done = SyncRun.objects.get()
    assert done.state == SyncState.DONE
    assert f"Acuity Opticians, Optix: read 40, created {done.created}, updated 0" in said


def test_reads_one_practice_only(practice, other_practice, connection, connect, sandbox) -> None:
    sandbox.post("/pms/acuitas/size", {"patients": 5})
    theirs = connect(other_practice, Kind.ACUITAS)
    run("--practice", other_practice.public_id)
    assert [done.connection_id for done in SyncRun.objects.all()] == [theirs.pk]
    assert not Patient.objects.filter(practice=practice).exists()


def test_one_that_fails_ends_in_an_error_and_the_others_are_read(
    practice, other_practice, connection, connect, sandbox
) -> None:
    sandbox.post("/pms/acuitas/size", {"patients": 5})
    connect(other_practice, Kind.ACUITAS)
    sandbox.fault("optix", "500", times=9)
    with pytest.raises(CommandError, match="1 of 2"):
        run()
    assert SyncRun.objects.filter(state=SyncState.DONE).count() == 1


def test_what_a_worker_is_reading_is_left_to_it(connection) -> None:
    assert claim.claim(plan.ask(connection).pk) is not None
    with pytest.raises(CommandError):
        run()


def test_without_a_system_it_says_so(practice) -> None:
    assert "No practice system" in run()


@pytest.mark.parametrize("words", ["nonsense", "prc_00000000000000000000000000"])
def test_an_unknown_practice_is_explained(practice, words) -> None:
    with pytest.raises(CommandError, match="practice"):
        run("--practice", words)
