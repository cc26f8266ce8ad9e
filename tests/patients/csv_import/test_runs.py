"""An import from upload to result, as the pages drive it."""

import pytest

from patients.csv_import import runs, work
from patients.models import ImportRun, ImportState, Patient
from practices.journal import Actor
from practices.models import Practice, User
from sightsync.lib.errors import AppError

ACTOR = Actor.system("test")
LIST = "Forename,Surname,Mobile,Remarks\nJane,Smith,07700900001,x\nTom,Lee,12,y\n"


def uploaded(practice: Practice, text: str = LIST, user: User | None = None) -> ImportRun:
    return runs.upload(
        practice=practice,
        file_name="C:\\lists\\patients.csv",
        content=text.encode(),
        user=user,
        actor=ACTOR,
    )


def test_an_import_goes_from_upload_to_result(practice: Practice, alice: User) -> None:
    run = uploaded(practice, user=alice)
    assert run.file_name == "patients.csv"
    assert not runs.is_matched(run)
    found = runs.columns(run)
    assert [(c.header, c.field, c.sure) for c in found] == [
        ("Forename", "first_name", True),
        ("Surname", "last_name", True),
        ("Mobile", "phone_number", True),
        ("Remarks", "", False),
    ]
    assert found[2].samples == ["07700900001", "12"]
    chosen = {column.place: column.field for column in found}
    runs.match(run=run, mapping=chosen, date_orders=None, actor=ACTOR)
    assert runs.is_matched(run)
    runs.check(run=run, actor=ACTOR)
    bad = runs.bad_rows(run)
    assert bad.total == 1
    assert bad.rows[0].number == 3
    assert bad.rows[0].cells["phone_number"] == "12"
    assert "too few" in bad.rows[0].problems["phone_number"]
    assert (run.forecast["new"], run.forecast["rejected"]) == (1, 1)
    runs.start(run=run, user=alice, actor=ACTOR)
    work.import_file(run.pk)
    shown = runs.progress(run)
    assert (shown.state, shown.percent) == (ImportState.DONE, 100)
    assert (shown.created, shown.rejected) == (1, 1)
    assert "Tom" in "".join(runs.rejected_csv(run))
    assert Patient.objects.get().first_name == "Jane"
    with pytest.raises(AppError) as refused:
        uploaded(practice)
    assert refused.value.code == "same_file"
    assert refused.value.extra["import_id"] == run.public_id


def test_a_row_is_mended_or_left_out(practice: Practice) -> None:
    run = uploaded(practice, LIST.replace(",Remarks", ",Title"))
    runs.check(run=run, actor=ACTOR)
    assert runs.bad_rows(run).total == 1
    runs.fix(run=run, row_number=3, cells={"phone_number": "07700 900002"}, actor=ACTOR)
    assert runs.bad_rows(run).total == 0
    runs.fix(run=run, row_number=3, cells=None, actor=ACTOR)
    runs.check(run=run, actor=ACTOR)
    assert (run.forecast["new"], run.forecast["left_out"]) == (1, 1)
