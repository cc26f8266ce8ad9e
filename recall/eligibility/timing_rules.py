"""The rules that pass by themselves: appointments, due dates, spacing, caps and hours. Pure."""

from datetime import date, datetime, timedelta

from recall import calling_hours
from recall.calling_hours import CALLS, RECALL_MESSAGES, REMINDERS, Window
from recall.eligibility import words
from recall.eligibility.case import MESSAGES, RECALLS, VOICE, Case, Kind, Rule, said
from recall.eligibility.facts import CAP_CALLS, CAP_WINDOW, SPACING
from recall.models import Channel, Purpose
from sightsync.lib.clock import at_london

# How long a call that is going on is given before asking again: when it will end nobody knows.
CALL_LENGTH = timedelta(minutes=5)


def _called_too_often(case: Case) -> bool:
    third = case.facts.third_last_call_at
    return third is not None and third > case.now - CAP_WINDOW


def _called_lately(case: Case) -> bool:
    last = case.facts.last_call_at
    return last is not None and last > case.now - SPACING


def _plus(moment: datetime | None, span: timedelta) -> datetime | None:
    return None if moment is None else moment + span


def _quota_used_up(case: Case) -> bool:
    policy = case.policy
    reset = policy.quota_resets_at is not None and case.now >= policy.quota_resets_at
    return policy.calls_used >= policy.calls_limit and not reset


def _window(case: Case) -> tuple[Window, Window, bool]:
    """The window asked of, the limit it may not leave, and whether bank holidays are closed."""
    if case.channel == Channel.VOICE:
        return case.policy.window, CALLS, case.policy.bank_holidays_closed
    if case.purpose == Purpose.REMINDER:
        return REMINDERS, REMINDERS, False
    return RECALL_MESSAGES, RECALL_MESSAGES, True


def _closures(case: Case) -> frozenset[date]:
    """A closed practice still may be written about; it cannot be rung back, so nobody is rung."""
    return case.policy.closures if case.channel == Channel.VOICE else frozenset()


def _out_of_hours(case: Case) -> bool:
    window, limit, bank_holidays = _window(case)
    return not calling_hours.is_open(
        case.now,
        window,
        case.policy.nation,
        _closures(case),
        limit=limit,
        bank_holidays=bank_holidays,
    )


def _opens_at(case: Case) -> datetime | None:
    window, limit, bank_holidays = _window(case)
    return calling_hours.next_open(
        case.now,
        window,
        case.policy.nation,
        _closures(case),
        limit=limit,
        bank_holidays=bank_holidays,
    )


def _hours_in_words(case: Case) -> str:
    window, limit, bank_holidays = _window(case)
    what = "Calls" if case.channel == Channel.VOICE else "Messages"
    if case.today in _closures(case):
        return f"{what} wait: the practice is closed today."
    if bank_holidays and _is_holiday(case):
        return f"{what} wait: today is a bank holiday."
    effective = window.narrowed_to(limit)
    if effective is None:
        return f"{what} wait: the practice's hours leave no time for them."
    return f"{what} go out {words.window(effective)} only."


def _is_holiday(case: Case) -> bool:
    nation = case.policy.nation
    return nation in calling_hours.NATIONS and calling_hours.is_bank_holiday(case.today, nation)


def _seen_as_due_at(case: Case) -> datetime:
    return at_london(case.facts.due_on, datetime.min.time())


TIMING_RULES: tuple[Rule, ...] = (
    Rule(
        "future_appointment",
        409,
        Kind.PASSING,
        lambda case: case.facts.appointment_at is not None and case.facts.appointment_at > case.now,
        lambda case: f"There is an appointment on {words.visit(case.facts.appointment_at)}.",
        "There is no appointment ahead.",
        passes_at=lambda case: case.facts.appointment_at,
        purposes=RECALLS,
    ),
    Rule(
        "not_due",
        409,
        Kind.PASSING,
        lambda case: case.policy.require_due and case.facts.due_on > case.today,
        lambda case: f"The next examination is due on {words.day(case.facts.due_on)}.",
        "The examination is due, or the recall was asked for by name.",
        passes_at=_seen_as_due_at,
        purposes=RECALLS,
    ),
    Rule(
        "call_under_way",
        409,
        Kind.PASSING,
        lambda case: case.facts.call_under_way,
        said("A call to the patient or their number is under way."),
        "No call is under way.",
        passes_at=lambda case: case.now + CALL_LENGTH,
        purposes=RECALLS,
    ),
    Rule(
        "called_3_times_in_30_days",
        429,
        Kind.PASSING,
        _called_too_often,
        said(f"There were {CAP_CALLS} calls in the last {CAP_WINDOW.days} days."),
        f"There were fewer than {CAP_CALLS} calls in the last {CAP_WINDOW.days} days.",
        passes_at=lambda case: _plus(case.facts.third_last_call_at, CAP_WINDOW),
        channels=VOICE,
        purposes=RECALLS,
    ),
    Rule(
        "called_in_24_hours",
        429,
        Kind.PASSING,
        _called_lately,
        lambda case: f"The last call was on {words.moment(case.facts.last_call_at)}.",
        "There was no call in the last 24 hours.",
        passes_at=lambda case: _plus(case.facts.last_call_at, SPACING),
        channels=VOICE,
        purposes=RECALLS,
    ),
    Rule(
        "quota_used_up",
        429,
        Kind.PASSING,
        _quota_used_up,
        lambda case: (
            f"{case.policy.calls_used} of {case.policy.calls_limit} calls are used this month."
        ),
        "There are calls left this month.",
        passes_at=lambda case: case.policy.quota_resets_at,
        channels=VOICE,
        purposes=RECALLS,
    ),
    Rule(
        "asked_for_later",
        425,
        Kind.PASSING,
        lambda case: case.facts.not_before is not None and case.facts.not_before > case.now,
        lambda case: f"The patient asked to wait until {words.moment(case.facts.not_before)}.",
        "The patient has not asked to wait.",
        passes_at=lambda case: case.facts.not_before,
        purposes=RECALLS,
    ),
    Rule(
        "calling_hours",
        425,
        Kind.PASSING,
        _out_of_hours,
        _hours_in_words,
        "Calls may be made now.",
        passes_at=_opens_at,
        channels=VOICE,
        purposes=RECALLS,
    ),
    Rule(
        "message_hours",
        425,
        Kind.PASSING,
        _out_of_hours,
        _hours_in_words,
        "Messages may be sent now.",
        passes_at=_opens_at,
        channels=MESSAGES,
        # A confirmation or a cancellation answers what the patient has just done: it goes at once.
        purposes=RECALLS | {Purpose.REMINDER},
    ),
)
