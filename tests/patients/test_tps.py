"""The register in force: loading, replacing, refusing, freshness, and the patients' flags."""

import gzip
import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from patients import records, tps, tps_load
from patients.models import Patient, RegisterList, TpsRegister
from practices.journal import Actor
from practices.models import JournalEntry, Practice
from sightsync.lib import clock

ACTOR = Actor.system("test")
pytestmark = pytest.mark.django_db(transaction=True)


def register(tmp_path: Path, *numbers: str, name: str = "register.txt") -> Path:
    path = tmp_path / name
    path.write_bytes(b"".join(f"{n:<12}\r\n".encode() for n in numbers))
    return path


def load(path: Path, *options: str) -> str:
    out = io.StringIO()
    call_command("load_tps", str(path), *options, stdout=out, stderr=out)
    return out.getvalue()


def patient(practice: Practice, number: str) -> Patient:
    data: Any = {"first_name": "Jane", "last_name": number, "phone_number": number}
    return records.upsert(practice=practice, data=data, source="api", actor=ACTOR).patient


def listing(number: str) -> int | None:
    return tps.lookup_one("+44" + number[1:])


def table_names() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE tablename LIKE '%%tps_number%%'")
        return {name for (name,) in cursor.fetchall()}


def test_without_a_register_nothing_is_known(practice: Practice) -> None:
    assert tps.state(clock.now()).status == "tps_register_missing"
    assert listing("07700900001") is None
    assert patient(practice, "07700900001").tps_listing is None


def test_a_load_screens_the_patients_there_are_and_those_to_come(
    practice: Practice, tmp_path: Path
) -> None:
    listed, clear = patient(practice, "07700900001"), patient(practice, "07700900002")
    output = load(register(tmp_path, "07700900001", "02079460000"))
    listed.refresh_from_db()
    clear.refresh_from_db()
    assert (listed.tps_listing, clear.tps_listing) == (3, 0)
    assert "Loaded 2 numbers" in output
    assert "changed: 2" in output
    assert patient(practice, "02079460000").tps_listing == 3
    assert tps.state(clock.now()) == tps.State(
        tps.Status.FRESH, date(2026, 11, 18), date(2026, 12, 16), 2
    )
    (entry,) = JournalEntry.objects.filter(action="tps.refreshed")
    assert entry.facts == {"both": 1, "clear": 1}


def test_a_new_register_replaces_the_old_and_only_changed_flags_are_written(
    practice: Practice, tmp_path: Path
) -> None:
    one, two = patient(practice, "07700900001"), patient(practice, "07700900002")
    load(register(tmp_path, "07700900001"))
    assert "changed: 0" in load(register(tmp_path, "07700900001"))
    load(register(tmp_path, "07700900002"))
    one.refresh_from_db()
    two.refresh_from_db()
    assert (one.tps_listing, two.tps_listing) == (0, 3)
    assert TpsRegister.objects.count() == 3
    assert TpsRegister.objects.filter(current=True).count() == 1
    assert table_names() <= {"tps_number", "ctps_number"}


def test_separate_lists_are_kept_apart(tmp_path: Path) -> None:
    load(register(tmp_path, "07700900001", "07700900003"), "--list", "tps")
    load(register(tmp_path, "07700900002", "07700900003"), "--list", "ctps")
    found = [listing(f"0770090000{n}") for n in (1, 2, 3, 4)]
    assert found == [1, 2, 3, 0]
    load(register(tmp_path, "07700900004"), "--list", "tps")
    assert [listing(f"0770090000{n}") for n in (1, 2, 3, 4)] == [0, 2, 2, 1]
    load(register(tmp_path, "07700900001"))
    assert [listing(f"0770090000{n}") for n in (1, 2, 3, 4)] == [3, 0, 0, 0]
    assert list(TpsRegister.objects.filter(current=True).values_list("listing", flat=True)) == [
        "both"
    ]


def test_ctps_alone_is_not_a_register(tmp_path: Path) -> None:
    output = load(register(tmp_path, "07700900001"), "--list", "ctps")
    assert "Calls stay blocked" in output
    assert tps.state(clock.now()).status == "tps_register_missing"
    assert listing("07700900002") is None


@pytest.mark.parametrize(
    ("now", "status"),
    [
        ("2026-11-18T10:00:00Z", "fresh"),
        ("2026-12-16T23:59:59Z", "fresh"),
        ("2026-12-17T00:00:00Z", "tps_register_stale"),
    ],
)
def test_a_register_is_stale_after_28_days(
    tmp_path: Path, at: Callable[[str], None], now: str, status: str
) -> None:
    load(register(tmp_path, "07700900001"))
    at(now)
    assert tps.state(clock.now()).status == status


def test_the_oldest_list_decides(tmp_path: Path) -> None:
    load(register(tmp_path, "07700900001"), "--list", "tps")
    output = load(register(tmp_path, "07700900001"), "--list", "ctps", "--date", "2026-10-01")
    assert "Calls stay blocked (tps_register_stale)" in output


def test_calls_wait_until_the_register_has_been_applied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(Exception):
        pass

    def die(**_: Any) -> int:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(tps, "refresh_patients", die)
        with pytest.raises(Killed):
            load(register(tmp_path, "07700900001"))
    assert tps.state(clock.now()).status == "tps_register_being_applied"
    tps.refresh_patients(actor=ACTOR)
    assert tps.state(clock.now()).is_usable


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"07700900001\r\n0770090",
        b"name\r\n07700900001\r\n",
        b"+33123456789\r\n",
        gzip.compress(b"07700900001\r\n" * 1000, mtime=0)[:-9],
        b"07700900001\r\n" * 100,
    ],
    ids=["empty", "truncated", "header", "foreign", "damaged gzip", "repeats"],
)
def test_a_bad_file_keeps_the_register_in_force(tmp_path: Path, content: bytes) -> None:
    load(register(tmp_path, "07700900009"))
    before = TpsRegister.objects.get()
    bad = tmp_path / "bad.txt"
    bad.write_bytes(content)
    with pytest.raises(CommandError, match=r"register in force was kept\.$"):
        load(bad)
    assert TpsRegister.objects.get() == before
    assert (listing("07700900009"), listing("07700900001")) == (3, 0)
    assert table_names() <= {"tps_number", "ctps_number"}


def test_a_few_repeats_are_left_out(tmp_path: Path) -> None:
    numbers = [f"07700900{n:03d}" for n in range(500)]
    assert "Repeated lines left out: 2" in load(register(tmp_path, *numbers, *numbers[:2]))


def test_a_file_cut_at_the_end_of_a_line_is_noticed_by_its_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tps_load, "COMPARED_FROM", 100)
    numbers = [f"07700900{n:03d}" for n in range(500)]
    load(register(tmp_path, *numbers))
    with pytest.raises(CommandError, match="cut off"):
        load(register(tmp_path, *numbers[:400]))
    load(register(tmp_path, *numbers[:400]), "--accept-smaller")
    assert listing(numbers[450]) == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--date", "18/11/2026"], "not a date"),
        (["--date", "2026-11-19"], "future"),
    ],
)
def test_a_wrong_date_is_refused(tmp_path: Path, options: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        load(register(tmp_path, "07700900001"), *options)
    assert not TpsRegister.objects.exists()


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no file"):
        load(tmp_path / "nothing.txt")


def test_many_numbers_are_looked_up_in_two_queries(
    tmp_path: Path, django_assert_num_queries: Any
) -> None:
    load(register(tmp_path, "07700900001"))
    numbers = [f"+447700900{n:03d}" for n in range(1000)]
    with django_assert_num_queries(2):
        found = tps.lookup([*numbers, "", "erased"])
    assert len(found) == 1000
    assert sum(found.values()) == 3  # type: ignore[arg-type]


@contextmanager
def other_session() -> Iterator[Any]:
    """A second connection to the test database."""
    other = connection.copy()
    try:
        yield other
    finally:
        other.close()


def test_a_reader_delays_the_swap_and_not_the_other_way_round(tmp_path: Path) -> None:
    """A long reader holds the old table: the swap gives up, tries again, and gets in afterwards."""
    load(register(tmp_path, "07700900001"))
    done = threading.Event()
    with other_session() as other:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM tps_number")

        def work() -> None:
            try:
                load(register(tmp_path, "07700900002", name="next.txt"))
                done.set()
            finally:
                connection.close()

        loader = threading.Thread(target=work)
        loader.start()
        assert not done.wait(0.5)
        assert listing("07700900001") == 3  # readers still read the old register
        other.rollback()
        loader.join(20)
    assert done.is_set()
    assert listing("07700900002") == 3


def two_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two loads at once, the second starting while the first has copied but not swapped."""
    inside, finish = threading.Event(), threading.Event()
    check = tps_load._check
    errors: list[str] = []

    def pause(*args: Any) -> None:
        if threading.current_thread().name == "first":
            inside.set()
            finish.wait(10)
        check(*args)

    monkeypatch.setattr(tps_load, "_check", pause)

    def work(name: str, number: str) -> None:
        try:
            tps_load.load(
                path=register(tmp_path, number, name=name),
                listing=RegisterList.BOTH,
                register_date=clock.today(),
                actor=ACTOR,
            )
        except Exception as error:
            errors.append(type(error).__name__)
        finally:
            connection.close()

    first = threading.Thread(target=work, args=("first.txt", "07700900001"), name="first")
    first.start()
    assert inside.wait(10)
    second = threading.Thread(target=work, args=("second.txt", "07700900002"), name="second")
    second.start()
    second.join(10)
    finish.set()
    first.join(10)
    return errors


def test_two_loads_at_once_cannot_interleave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert two_loads(tmp_path, monkeypatch) == ["NotLoaded"]
    assert (listing("07700900001"), listing("07700900002")) == (3, 0)


def test_without_the_lock_two_loads_interleave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: the second pulls the first one's table away."""
    monkeypatch.setattr(tps_load, "_try_lock", lambda: True)
    assert two_loads(tmp_path, monkeypatch) == ["ProgrammingError"]
