"""What must hold after every test of the engine, whatever went wrong in it.

The judge is the sandbox's log: what really left the product. The database is asked only whether it
agrees. `assert_invariants(sandbox.log())` stands at the end of a fault test, a race or a journey.
"""

from collections import Counter, defaultdict
from datetime import datetime, time, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import Q

from patients.models import Patient
from practices import journal, plans, quota
from practices.models import JournalEntry, MonthlyUsage, Practice
from recall.models import (
    Appointment,
    Attempt,
    AttemptState,
    Channel,
    StaffTask,
    TaskKind,
)
from recall.models.appointments import LIVE_APPOINTMENT
from sightsync.lib import clock, ids

Row = dict[str, Any]
ENDS = ("call.completed", "call.failed")
UNFINISHED = (AttemptState.CLAIMED, AttemptState.SUBMITTING)


def assert_invariants(log: list[Row]) -> None:
    """All of them. Raises AssertionError that names the invariant and the attempt."""
    left = [row for row in log if _may_have_been_taken(row)]
    each_attempt_left_once(left)
    one_call_a_day(left)
    nothing_after_an_opt_out(left)
    one_message_per_appointment_version()
    one_appointment_per_time()
    calls_in_hours_only(left)
    nobody_left_hanging()
    ended_once_and_for_all()
    no_more_than_was_paid_for()
    the_journal_holds()


def _may_have_been_taken(row: Row) -> bool:
    """A request for a call or message that was not refused: taken, or nobody knows."""
    asked = row["method"] == "POST" and row["path"].endswith(("/Calls.json", "/Messages.json"))
    return asked and not 400 <= (row["status"] or 0) < 500


def attempt_of(row: Row) -> str:
    """The attempt in the request's callback address, as a uuid."""
    address = row["params"].get("StatusCallback", "")
    return str(ids.decode(Attempt.PREFIX, address.split("/hooks/twilio/")[1].split("/")[1]))


def _number(row: Row) -> str:
    return str(row["params"]["To"]).removeprefix("whatsapp:")


def _at(row: Row) -> datetime:
    return datetime.fromisoformat(row["at"].replace("Z", "+00:00"))


def each_attempt_left_once(left: list[Row]) -> None:
    """I1, I6: one attempt is one request at most, and an unknown one is never repeated."""
    twice = {key: n for key, n in Counter(map(attempt_of, left)).items() if n > 1}
    assert not twice, f"I6: requested more than once: {twice}"


def one_call_a_day(left: list[Row]) -> None:
    """I1: a practice rings one number once in 24 hours at most, and never twice at a time."""
    calls: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for row in left:
        if row["path"].endswith("/Calls.json"):
            calls[row["params"]["From"], _number(row)].append(_at(row))
    for key, times in calls.items():
        times.sort()
        for before, after in pairwise(times):
            assert after - before >= timedelta(hours=24), f"I1: {key} rung twice in 24 hours"


def nothing_after_an_opt_out(left: list[Row]) -> None:
    """I2: no request after an opt-out, but for one whose right to leave was taken before it."""
    said = dict(
        Patient.objects.exclude(opted_out_at=None).values_list("phone_number", "opted_out_at")
    )
    begun = dict(Attempt.objects.values_list("pk", "submitted_at"))
    for row in left:
        stopped = said.get(_number(row))
        if stopped is None or _at(row) <= stopped:
            continue
        submitted = begun.get(ids.decode(Attempt.PREFIX, attempt_of(row)))
        assert submitted and submitted <= stopped, f"I2: contacted after opt-out: {attempt_of(row)}"


def one_message_per_appointment_version() -> None:
    """I3: each confirmation, reminder and notice is handed over once per version."""
    rows = Attempt.objects.exclude(appointment=None).exclude(submitted_at=None)
    sent = Counter(rows.values_list("appointment_id", "purpose", "appointment_version"))
    assert not [key for key, n in sent.items() if n > 1], "I3: a message was sent twice"


def one_appointment_per_time() -> None:
    """I4: a diary has no two live appointments at a time; each was journalled once."""
    live = Appointment.objects.filter(status__in=LIVE_APPOINTMENT).exclude(diary=None)
    ends: dict[object, datetime] = {}
    for row in live.order_by("diary_id", "starts_at"):
        before = ends.get(row.diary_id)
        assert before is None or before <= row.starts_at, f"I4: double booking at {row.starts_at}"
        ends[row.diary_id] = row.ends_at
    booked = Counter(
        JournalEntry.objects.filter(action="appointment.booked").values_list(
            "subject_id", flat=True
        )
    )
    for key in Appointment.objects.exclude(source="pms").values_list("pk", flat=True):
        assert booked.get(str(key), 0) <= 1, f"I4: {key} was booked twice"


def calls_in_hours_only(left: list[Row]) -> None:
    """I5: no call leaves outside Monday to Friday, nine to six, in London."""
    for row in left:
        if row["path"].endswith("/Calls.json"):
            local = clock.london(_at(row))
            fits = local.weekday() < 5 and time(9) <= local.time() < time(18)
            assert fits, f"I5: rung at {local:%A %H:%M}: {attempt_of(row)}"


def nobody_left_hanging() -> None:
    """I7: nothing rests half-way; what nobody knows is with the staff after half an hour."""
    late = clock.now() - timedelta(minutes=31)
    stuck = Attempt.objects.filter(state__in=UNFINISHED, claimed_at__lt=late)
    assert not stuck.exists(), f"I7: half-way for long: {list(stuck.values_list('pk', 'state'))}"
    told = StaffTask.objects.filter(kind=TaskKind.UNKNOWN_OUTCOME).values("attempt_id")
    silent = Attempt.objects.filter(state=AttemptState.UNKNOWN, submitted_at__lt=late).exclude(
        pk__in=told
    )
    assert not silent.exists(), "I7: unknown for half an hour, and nobody was told"


def ended_once_and_for_all() -> None:
    """I8: what has ended has one end in the journal and a time; nothing that goes on has one."""
    ended = (AttemptState.DONE, AttemptState.FAILED)
    entries = Counter(
        JournalEntry.objects.filter(action__in=ENDS).values_list("subject_id", flat=True)
    )
    for attempt in Attempt.objects.filter(channel=Channel.VOICE):
        count = entries.get(str(attempt.pk), 0)
        if attempt.state in ended:
            assert attempt.ended_at is not None, f"I8: {attempt.pk} ended at no time"
            assert count <= 1, f"I8: {attempt.pk} ended {count} times"
        else:
            assert count == 0, f"I8: {attempt.pk} ended and went on as {attempt.state}"


def no_more_than_was_paid_for() -> None:
    """I11: the month's count is within the plan, and is exactly the calls that were made."""
    returned = Q(state__in=[AttemptState.PLANNED, AttemptState.CANCELLED]) | Q(
        state__in=[AttemptState.DONE, AttemptState.FAILED], submitted_at=None
    )
    for usage in MonthlyUsage.objects.select_related("practice"):
        assert usage.calls_used <= plans.monthly_limit(usage.practice.plan), "I11: over the plan"
    month = quota.month_of(clock.now())
    for practice in Practice.objects.all():
        holding = Attempt.objects.filter(
            practice=practice, receipt__quota_month=month.isoformat()
        ).exclude(returned)
        used = quota.used(practice_id=practice.pk, month=month)
        assert used == holding.count(), f"I11: {used} counted, {holding.count()} made"


def the_journal_holds() -> None:
    """I13: the chain of every practice verifies."""
    journal.seal()
    for practice in Practice.objects.all():
        assert journal.verify(practice.pk) is None, "I13: the journal's chain is broken"
