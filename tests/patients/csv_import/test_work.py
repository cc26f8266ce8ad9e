"""A killed import goes on where it stopped, and every row is counted once."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F

from patients.csv_import import at_once, drafts, files, runs, work
from patients.models import ImportChunk, ImportFile, ImportReject, ImportRun, ImportState, Patient
from practices.journal import Actor
from practices.models import JournalEntry, Practice
from sightsync.lib import failpoints

ACTOR = Actor.system("import")
KNOWN = "Forename,Surname,Mobile,Email\n" + "".join(
    f"Old{n},Lee,07700900{n:03d},\n" for n in range(6)
)
LIST = "Forename,Surname,Mobile,Email\n" + "".join(
    [f"Old{n},Lee,07700900{n:03d},o{n}@example.org\n" for n in range(6)]
    + [f"New{n},Lee,07700900{n + 100:03d},\n" for n in range(14)]
    + ["Bad,Lee,12,\n", ",Lee,07700900200,\n", "New0,Lee,07700900100,n@example.org\n"]
)
COUNTS = {"created": 14, "updated": 7, "unchanged": 0, "rejected": 2}


class Killed(BaseException):
    """Nobody catches it, as nobody catches a kill."""


@pytest.fixture(autouse=True)
def small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "FRAME_ROWS", 5)


@pytest.fixture
def kill(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], None]:
    """Dies at the n-th passing of a failpoint."""

    def arm(name: str, passing: int) -> None:
        left = [passing]

        def hit(place: str) -> None:
            if place == name:
                left[0] -= 1
                if left[0] == 0:
                    raise Killed

        monkeypatch.setattr(failpoints, "hit", hit)

    return arm


def started(practice: Practice) -> ImportRun:
    at_once.run(practice=practice, file_name="a.csv", content=KNOWN.encode(), actor=ACTOR)
    run = runs.upload(
        practice=practice, file_name="b.csv", content=LIST.encode(), user=None, actor=ACTOR
    )
    runs.start(run=run, user=None, actor=ACTOR)
    return run


def let_lease_run_out() -> None:
    ImportRun.objects.update(lease_until=F("lease_until") - timedelta(hours=1))


def outcome(practice: Practice) -> tuple[Any, ...]:
    people = Patient.objects.filter(practice=practice)
    told = JournalEntry.objects.filter(practice=practice).exclude(action="import.completed")
    return (
        sorted(people.values_list("first_name", "phone_number", "email")),
        Counter(told.values_list("action", flat=True)),
    )


PLACES = [
    ("import.surveyed", 1),
    *[("import.chunk_written", n) for n in (1, 2, 5)],
    *[("import.before_commit", n) for n in (1, 3, 5)],
    *[("import.after_commit", n) for n in (1, 4, 5)],
    ("import.before_finish", 1),
]


@pytest.mark.parametrize(("place", "passing"), PLACES)
def test_killed_there_it_goes_on_and_counts_every_row_once(
    practice: Practice,
    other_practice: Practice,
    kill: Callable[[str, int], None],
    place: str,
    passing: int,
) -> None:
    whole = started(other_practice)
    work.import_file(whole.pk)
    run = started(practice)
    kill(place, passing)
    with pytest.raises(Killed):
        work.import_file(run.pk)
    work.import_file(run.pk)  # the queue is too early: the lease is not over
    run.refresh_from_db()
    assert run.state == ImportState.RUNNING
    let_lease_run_out()
    assert (work.JOB, run.pk) in set(work.left_behind())
    work.import_file(run.pk)
    run.refresh_from_db()
    assert run.state == ImportState.DONE
    assert {name: getattr(run, name) for name in COUNTS} == COUNTS
    assert run.rows_read == run.position == run.rows_total == 23
    assert outcome(practice) == outcome(other_practice)
    rejected = ImportReject.objects.filter(run=run).values_list("row_number", flat=True)
    assert sorted(rejected) == [22, 23]
    made = [key for chunk in ImportChunk.objects.filter(run=run) for key in chunk.created]
    assert len(made) == len(set(made)) == 14
    assert not ImportFile.objects.filter(run=run).exists()


def test_a_worker_that_was_thought_dead_writes_nothing_more(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started(practice)
    taken: list[str] = []

    def hit(place: str) -> None:
        if place == "import.after_commit" and not taken:
            taken.append(place)
            let_lease_run_out()
            work.import_file(run.pk)  # another worker, from beginning to end

    monkeypatch.setattr(failpoints, "hit", hit)
    work.import_file(run.pk)
    run.refresh_from_db()
    assert run.state == ImportState.DONE
    assert {name: getattr(run, name) for name in COUNTS} == COUNTS


def test_without_the_fence_rows_would_be_counted_twice(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: the worker that was overtaken goes on."""

    def move(run: ImportRun, **values: Any) -> None:
        ImportRun.objects.filter(pk=run.pk).update(**values)

    monkeypatch.setattr(work, "_move", move)
    monkeypatch.setattr(work, "_hold", lambda _: None)
    monkeypatch.setattr(work, "_keep_chunk", lambda *_: None)
    monkeypatch.setattr(drafts, "keep_rejected", lambda *_: None)
    run = started(practice)
    taken: list[str] = []

    def hit(place: str) -> None:
        if place == "import.after_commit" and not taken:
            taken.append(place)
            ImportRun.objects.update(state=ImportState.QUEUED)
            frames = files.frames(run)
            work.import_file(run.pk)
            files.store(run, frames)

    monkeypatch.setattr(failpoints, "hit", hit)
    work.import_file(run.pk)
    run.refresh_from_db()
    assert run.rows_read > run.rows_total


def test_a_job_hands_over_before_its_time_is_up(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "SLICE_S", -1.0)
    run = started(practice)
    work.import_file(run.pk)
    run.refresh_from_db()
    assert (run.state, run.position) == (ImportState.QUEUED, 0)
    monkeypatch.undo()
    work.import_file(run.pk)
    run.refresh_from_db()
    assert (run.state, run.rows_read) == (ImportState.DONE, 23)


def test_progress_never_falls_back(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    run = started(practice)
    seen: list[int] = []
    monkeypatch.setattr(failpoints, "hit", lambda _: seen.append(runs.progress(run).percent))
    work.import_file(run.pk)
    assert seen == sorted(seen)
    assert runs.progress(run).percent == 100
