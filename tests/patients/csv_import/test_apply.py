"""Writing in sets gives what writing one patient after the other gives: the same records, answers
and journal.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from patients import assigning, matching, opt_out, opt_outs_in_bulk, records
from patients.csv_import import apply, columns, drafts, files, reader
from patients.csv_import.check import ALL_CHANNELS, Checked
from patients.csv_import.survey import Survey
from patients.models import Patient, Suppression
from practices import journal
from practices.journal import Actor
from practices.models import JournalEntry, Practice
from sightsync.lib import clock, crypto
from sightsync.lib.errors import AppError

ACTOR = Actor.system("test")
HEAD = "Id,Forename,Surname,Mobile,Email,DOB,Last exam,Risk,NHS no,Clinical notes,SMS ok,Opted out"
_CELLS = (
    st.sampled_from(["", "", "1", "2", "3"]),
    st.sampled_from(["Ann", "Bob", "ANN", "Zoë"]),
    st.sampled_from(["Lee", "Fox", ""]),
    st.sampled_from(["07700900001", "+447700900002", "020 7946 0003", "", "12"]),
    st.sampled_from(["a@example.org", "b@example.org", ""]),
    st.sampled_from(["", "01/02/1980", "03/02/2015"]),
    st.sampled_from(["", "13/01/2024", "14/06/2025"]),
    st.sampled_from(["", "diabetic", "vip"]),
    st.sampled_from(["", "943 476 5919", "401 023 2137"]),
    st.sampled_from(["", "", "Shy, and \\ odd\tthings"]),
    st.sampled_from(["", "y", "n"]),
    st.sampled_from(["", "", "", "yes"]),
)
LINES = st.lists(st.tuples(*_CELLS), min_size=1, max_size=7)


def rows_of(practice: Practice, lines: Sequence[Sequence[str]]) -> list[Checked]:
    text = "\n".join([HEAD, *(",".join(f'"{cell}"' for cell in line) for line in lines)])
    run, frames = drafts.read(practice, columns.find(reader.readings(text.encode())))
    found: Survey = drafts.survey(run, frames)
    found.run()
    return list(found)


class Steps:
    """What ``apply`` does in sets, with a model for each patient, saved by itself."""

    def __init__(self, practice: Practice, rows: Sequence[Checked]) -> None:
        self.practice = practice
        good = [records.person_of(row.values) for row in rows if not row.reasons]
        self.known = records.candidates(practice.pk, good)
        self.patients = {one.id: Patient.objects.get(pk=one.id) for one in self.known}
        self.created: list[Patient] = []
        self.changed: dict[Any, set[str]] = {}

    def apply(self, rows: Sequence[Checked]) -> list[str]:
        done = [self.place(row) for row in rows]
        for patient in self.created:
            patient.save(force_insert=True)
            self.tell("patient.created", patient, records.created_facts(patient, "csv"))
        for key, names in self.changed.items():
            patient = self.patients[key]
            patient.save(update_fields=[*names, "updated_at"])
            self.tell("patient.updated", patient, records.updated_facts(names, "csv"))
        return [
            wishes_one_by_one(row, what, patient) if patient else what
            for row, (what, patient) in zip(rows, done, strict=True)
        ]

    def place(self, row: Checked) -> tuple[str, Patient | None]:
        if row.reasons:
            return "rejected", None
        person = records.person_of(row.values)
        match = matching.match(person, self.known, household=row.household, careful=True)
        if match.conflict:
            return "ambiguous_patient", None
        contacts = [row.values, *({"phone_number": p.phone_number} for p in self.patients.values())]
        lookups = assigning.look_up(practice=self.practice, values=contacts)
        if match.id is None:
            return self.create(row, person, lookups)
        patient = self.patients[match.id]
        new = assigning.assign(patient, row.values, practice=self.practice, lookups=lookups)
        if new:
            patient.updated_at = clock.now()
            if patient not in self.created:
                self.changed.setdefault(patient.pk, set()).update(new)
        return "updated" if new else "unchanged", patient

    def create(
        self, row: Checked, person: matching.Person, lookups: assigning.Lookups
    ) -> tuple[str, Patient | None]:
        try:
            patient = records.new_patient(self.practice, row.values, source="csv", lookups=lookups)
        except AppError as error:
            return error.code, None
        self.patients[patient.pk] = patient
        self.created.append(patient)
        self.known.append(matching.Candidate(patient.pk, person))
        return "created", patient

    def tell(self, action: str, patient: Patient, facts: dict[str, Any]) -> None:
        journal.record(
            practice=self.practice, action=action, actor=ACTOR, patient=patient.pk, facts=facts
        )


def in_steps(practice: Practice, rows: Sequence[Checked]) -> list[str]:
    return Steps(practice, rows).apply(rows)


def in_sets(practice: Practice, rows: Sequence[Checked]) -> list[str]:
    done = apply.apply(practice=practice, rows=rows, source="csv", actor=ACTOR)
    return [one.what.value if one.what else one.code for one in done.placed]


def wishes_one_by_one(row: Checked, what: str, patient: Patient) -> str:
    for channel in sorted(row.opt_outs):
        if patient.opted_out_at is None and channel not in patient.opted_out_channels:
            one = None if channel == ALL_CHANNELS else channel
            new = opt_out.record(patient=patient, source="csv", actor=ACTOR, channel=one).changed
            what = "updated" if new and what == "unchanged" else what
    return what


def stored(practice: Practice) -> list[Any]:
    found = []
    for record in Patient.objects.filter(practice=practice).values():
        del record["id"]
        found.append(sorted((name, repr(value)) for name, value in record.items()))
    return sorted(found)


def suppressed(practice: Practice) -> list[Any]:
    rows = Suppression.objects.filter(practice=practice)
    return sorted(rows.values_list("kind", "hash", "channel", "source", "lifted_at"), key=repr)


def told(practice: Practice) -> list[Any]:
    rows = JournalEntry.objects.filter(practice=practice)
    return sorted(rows.values_list("action", "facts"), key=repr)


@pytest.mark.django_db
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(before=LINES, lines=LINES)
def test_sets_and_single_steps_give_the_same(practice: Practice, before: Any, lines: Any) -> None:
    with transaction.atomic():
        answers = []
        for way in (in_sets, in_steps):
            mark = transaction.savepoint()
            said = [way(practice, rows_of(practice, brought)) for brought in (before, lines)]
            answers.append((said, stored(practice), suppressed(practice), told(practice)))
            transaction.savepoint_rollback(mark)
        assert answers[0] == answers[1]
        transaction.set_rollback(True)


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    wishes=st.lists(
        st.tuples(
            st.integers(0, 3),
            st.sampled_from([None, "sms", "voice", "email", "whatsapp"]),
        ),
        max_size=6,
    ),
    lifted=st.booleans(),
)
def test_many_opt_outs_at_once_are_those_of_one_after_the_other(
    practice: Practice, wishes: list[tuple[int, str | None]], lifted: bool
) -> None:
    contacts = [
        ("+447700900001", "a@example.org"),
        ("+447700900001", ""),
        ("+447700900002", "a@example.org"),
        ("", "b@example.org"),
    ]
    with transaction.atomic():
        for number, address in contacts:
            rows = rows_of(practice, [("", f"P{number[-1:]}{address}", "", number, address)])
            rows[0].household = True
            apply.apply(practice=practice, rows=rows, source="csv", actor=ACTOR)
        patients = list(Patient.objects.filter(practice=practice).order_by("id"))
        if lifted:
            opt_out.record(patient=patients[0], source="staff", actor=ACTOR)
            opt_out.withdraw(
                patient=patients[0],
                reason=opt_out.Reason.CONSENT_BY_PHONE,
                source="staff",
                actor=ACTOR,
            )
        mark = transaction.savepoint()
        single = [
            opt_out.record(
                patient=patients[who], source="csv", actor=ACTOR, channel=channel
            ).changed
            for who, channel in wishes
        ]
        after = (stored(practice), suppressed(practice), told(practice))
        transaction.savepoint_rollback(mark)
        many = opt_outs_in_bulk.record(
            practice=practice,
            wishes=[opt_outs_in_bulk.Wish(patients[who].pk, channel) for who, channel in wishes],
            source="csv",
            actor=ACTOR,
        )
        assert many == single
        assert after == (
            stored(practice),
            suppressed(practice),
            told(practice),
        )
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_a_chunk_needs_a_transaction(practice: Practice) -> None:
    with pytest.raises(RuntimeError, match="one transaction"):
        apply.apply(practice=practice, rows=[], source="csv", actor=ACTOR)


def test_short_texts_are_encrypted_as_others_are() -> None:
    texts = ["", "9434765919", "fifteen letters", "sixteen letters!", "é" * 7, "é" * 8]
    assert [crypto.decrypt(token) for token in crypto.encrypt_short(texts)] == texts
    assert len(set(crypto.encrypt_short(["same"] * 9))) == 9


def test_a_frame_holds_the_rows_that_are_written_at_once() -> None:
    assert files.FRAME_ROWS == 2000
