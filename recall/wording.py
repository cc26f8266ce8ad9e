"""How statuses and reasons are said to people: one place, so that a word never differs.

Pure. Amber means "needs you", red means failed, and nothing else is amber or red.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from patients.models import DueSource, Patient
from practices.templatetags.ui import near, plain_date
from recall.models import (
    Appointment,
    AppointmentStatus,
    Attempt,
    AttemptState,
    CampaignState,
    Channel,
    EpisodeState,
    Outcome,
    StaffTask,
    TaskKind,
)


@dataclass(frozen=True, slots=True)
class Status:
    """A word, a tone (green, blue, amber, red, grey), and whether it is happening now."""

    word: str
    tone: str
    live: bool = False


OUTCOMES: dict[str, Status] = {
    Outcome.BOOKED: Status("Booked", "green"),
    Outcome.DECLINED: Status("Declined", "grey"),
    Outcome.OPTED_OUT: Status("Opted out", "grey"),
    Outcome.WRONG_PERSON: Status("Wrong number", "amber"),
    Outcome.DECEASED: Status("Reported deceased", "amber"),
    Outcome.CALL_BACK: Status("Call back", "blue"),
    Outcome.NEEDS_STAFF: Status("Wants a person", "amber"),
    Outcome.SYMPTOMS: Status("Symptoms", "amber"),
    Outcome.ANSWERED: Status("No decision", "blue"),
    Outcome.HUNG_UP: Status("Hung up", "grey"),
    Outcome.VOICEMAIL: Status("Voicemail", "grey"),
    Outcome.NO_ANSWER: Status("No answer", "grey"),
    Outcome.BUSY: Status("Busy", "grey"),
    Outcome.SENT: Status("On its way", "blue"),
    Outcome.DELIVERED: Status("Delivered", "green"),
    Outcome.READ: Status("Read", "green"),
    Outcome.UNDELIVERED: Status("Not delivered", "red"),
    Outcome.FAILED: Status("Failed", "red"),
}

EPISODES: dict[str, Status] = {
    EpisodeState.DUE: Status("Due", "grey"),
    EpisodeState.CONTACTING: Status("Being contacted", "blue", live=True),
    EpisodeState.WAITING: Status("Waiting", "blue"),
    EpisodeState.NEEDS_STAFF: Status("Needs you", "amber"),
    EpisodeState.BOOKED: Status("Booked", "green"),
    EpisodeState.DECLINED: Status("Declined", "grey"),
    EpisodeState.OPTED_OUT: Status("Opted out", "grey"),
    EpisodeState.NOT_CONTACTABLE: Status("Cannot be contacted", "grey"),
    EpisodeState.EXHAUSTED: Status("No answer anywhere", "grey"),
    EpisodeState.ENDED: Status("Ended", "grey"),
}

CAMPAIGNS: dict[str, Status] = {
    CampaignState.RUNNING: Status("Running", "blue", live=True),
    CampaignState.PAUSED: Status("Paused", "amber"),
    CampaignState.STOPPED: Status("Stopped", "grey"),
    CampaignState.FINISHED: Status("Finished", "green"),
}

APPOINTMENTS: dict[str, Status] = {
    AppointmentStatus.BOOKED: Status("Booked", "blue"),
    AppointmentStatus.CONFIRMED: Status("Confirmed", "green"),
    AppointmentStatus.CANCELLED: Status("Cancelled", "grey"),
    AppointmentStatus.NO_SHOW: Status("Did not attend", "amber"),
    AppointmentStatus.ATTENDED: Status("Attended", "green"),
}

APPOINTMENT_SOURCES = {
    "call": "on the call",
    "link": "by the patient, online",
    "staff": "by the practice",
    "api": "by another system",
    "pms": "in the practice's system",
}

# What staff are asked to do: the sentence after the patient's name, and the one action.
TASKS: dict[str, tuple[str, str, str, str]] = {
    TaskKind.SYMPTOMS: ("mentioned symptoms", "siren", "red", "Ring {first}"),
    TaskKind.WRONG_NUMBER: ("has a wrong number", "phone-off", "amber", "Correct the number"),
    TaskKind.CALL_BACK: ("asked to be rung back", "rotate-ccw", "amber", "See the call"),
    TaskKind.HUMAN: ("asked to speak to a person", "user-round", "amber", "Ring {first}"),
    TaskKind.DECEASED: ("was reported as deceased", "circle-alert", "amber", "Check the record"),
    TaskKind.UNKNOWN_OUTCOME: (
        "may or may not have been contacted",
        "circle-help",
        "amber",
        "Look into it",
    ),
    TaskKind.EXHAUSTED: (
        "did not answer on any channel",
        "phone-missed",
        "blue",
        "Decide what next",
    ),
    TaskKind.NOT_CONTACTABLE: ("cannot be contacted", "ban", "blue", "See why"),
    TaskKind.NO_FREE_TIME: (
        "wanted to book, but no time was free",
        "calendar-x",
        "amber",
        "Book {first} in",
    ),
    TaskKind.REPLY: ("sent a message", "message-square", "blue", "Read it"),
    TaskKind.CALL_FAILED: ("was on a call that broke off", "phone-off", "amber", "See the call"),
    TaskKind.JOB_FAILED: (
        "is part of a job that gave up",
        "triangle-alert",
        "amber",
        "Look into it",
    ),
    TaskKind.WRITE_BACK: (
        "is not in your own system as booked",
        "calendar-x",
        "red",
        "See it",
    ),
}

TASK_REASONS: dict[str, str] = {
    TaskKind.SYMPTOMS: "They heard your approved advice. Nobody talked of booking.",
    TaskKind.WRONG_NUMBER: "Somebody else answered. Nothing more goes to this number.",
    TaskKind.HUMAN: "Nothing else is sent until you have spoken.",
    TaskKind.DECEASED: "Contact has stopped. Check before you change the record.",
    TaskKind.UNKNOWN_OUTCOME: "The connection broke at the hand-over. It is never sent twice.",
    TaskKind.EXHAUSTED: "Call, WhatsApp and email were tried.",
    TaskKind.NOT_CONTACTABLE: "No channel is left that the law and the patient allow.",
    TaskKind.NO_FREE_TIME: "Your diary was full when they asked.",
    TaskKind.REPLY: "They answered one of your messages.",
    TaskKind.CALL_FAILED: "They were told who called and how to opt out.",
    TaskKind.JOB_FAILED: "It was tried five times. Nothing more is sent until you have looked.",
    TaskKind.WRITE_BACK: "The patient has their confirmation. Write it into your system too.",
}

CHANNEL_ICONS = {
    Channel.VOICE: "phone",
    Channel.WHATSAPP: "message-circle",
    Channel.SMS: "message-square",
    Channel.EMAIL: "mail",
}

REACHED = (
    Outcome.BOOKED,
    Outcome.DECLINED,
    Outcome.OPTED_OUT,
    Outcome.CALL_BACK,
    Outcome.NEEDS_STAFF,
    Outcome.SYMPTOMS,
    Outcome.ANSWERED,
    Outcome.READ,
)


def attempt_status(attempt: Attempt) -> Status:
    """What became of a call or message, or what it is doing now."""
    if attempt.outcome:
        return OUTCOMES[attempt.outcome]
    if attempt.state == AttemptState.ACCEPTED:
        if attempt.channel != Channel.VOICE:
            return Status("On its way", "blue")
        return Status("Talking" if attempt.answered_at else "Ringing", "blue", live=True)
    return {
        AttemptState.PLANNED: Status("Planned", "grey"),
        AttemptState.CLAIMED: Status("Starting", "blue", live=True),
        AttemptState.SUBMITTING: Status("Starting", "blue", live=True),
        AttemptState.UNKNOWN: Status("Not known", "amber"),
        AttemptState.DONE: Status("Done", "grey"),
        AttemptState.FAILED: Status("Failed", "red"),
        AttemptState.CANCELLED: Status("Not made", "grey"),
    }[AttemptState(attempt.state)]


def status_of(row: object) -> Status:
    """The status of an attempt, an appointment, an episode or a campaign."""
    if isinstance(row, Attempt):
        return attempt_status(row)
    if isinstance(row, Appointment):
        return APPOINTMENTS[row.status]
    state = str(getattr(row, "state", ""))
    return EPISODES.get(state) or CAMPAIGNS[state]


@dataclass(frozen=True, slots=True)
class TaskWords:
    """One row of "Needs you today"."""

    what: str
    why: str
    icon: str
    tone: str
    action: str


def task_words(task: StaffTask) -> TaskWords:
    """The sentence after the patient's name, one reason and one action."""
    what, icon, tone, action = TASKS[task.kind]
    why = TASK_REASONS.get(task.kind, "")
    if task.kind == TaskKind.CALL_BACK and task.due_at:
        why = f"Planned for {near(task.due_at)}."
    if task.kind == TaskKind.WRONG_NUMBER and task.attempt and task.attempt.reason == "bad_number":
        why = "The phone network does not know this number."
    first = task.patient.first_name if task.patient else "them"
    return TaskWords(what, why, icon, tone, action.format(first=first))


# Each rule of eligibility, as a receipt says it: when it passed, and when it did not.
RULES: dict[str, tuple[str, str]] = {
    "subscription_inactive": ("The subscription was in order", "Subscription not active"),
    "contact_stopped": ("The practice had not stopped contact", "All contact stopped"),
    "erased": ("The record was not erased", "Record erased"),
    "deceased": ("Not reported deceased", "Reported deceased"),
    "archived": ("The record was not archived", "Record archived"),
    "opted_out": ("Had not opted out", "Opted out"),
    "opted_out_of_channel": ("Had not opted out of this channel", "Opted out of this channel"),
    "suppressed": ("Not on the practice's do-not-contact list", "On the do-not-contact list"),
    "channel_off": ("The practice used this channel", "Channel switched off"),
    "no_number": ("Had a phone number", "No phone number"),
    "wrong_number": ("The number was not reported wrong", "Wrong number"),
    "number_type": ("A kind of number we may ring", "Number we may not ring"),
    "not_a_mobile": ("A mobile number", "Not a mobile"),
    "drama_number": ("Not a number kept for fiction", "Number kept for fiction"),
    "no_email": ("Had an email address", "No email address"),
    "email_bounced": ("The address had not bounced", "Email address bounced"),
    "tps_listed": ("Not on the TPS or CTPS", "On the TPS"),
    "tps_register_missing": ("A TPS register was loaded", "No TPS register loaded"),
    "tps_register_stale": ("The TPS register was recent enough", "TPS register too old"),
    "tps_register_being_applied": ("The TPS register was in force", "TPS register being applied"),
    "tps_not_screened": ("The number was screened against the TPS", "Not screened for the TPS yet"),
    "future_appointment": ("No appointment ahead", "Has an appointment"),
    "not_due": ("Due, or asked for by name", "Not due yet"),
    "call_under_way": ("No other call under way", "Call under way"),
    "called_3_times_in_30_days": ("Fewer than 3 calls in 30 days", "3 calls in 30 days"),
    "called_in_24_hours": ("24 hours since the last call", "Called in the last 24 hours"),
    "quota_used_up": ("Calls were left this month", "No calls left this month"),
    "asked_for_later": ("The patient had not asked to wait", "Asked to be rung later"),
    "calling_hours": ("Within calling hours", "Outside calling hours"),
    "message_hours": ("Within message hours", "Outside message hours"),
    "in_another_campaign": ("In no other recall", "In another recall"),
}

# What people ask about first; of the rules that pass, these are shown without being asked for.
TELLING = frozenset(
    {"opted_out", "tps_listed", "called_3_times_in_30_days", "calling_hours", "quota_used_up"}
)


def rule_words(code: str, *, passed: bool) -> str:
    """A rule's result in words; a code this table does not know is said as it is."""
    said = RULES.get(code)
    return said[0 if passed else 1] if said else code.replace("_", " ").capitalize()


def due_words(patient: Patient) -> str:
    """Where a due date comes from, as one sentence."""
    when = plain_date(patient.last_eye_test_date)
    months = patient.due_interval_months
    span = f"{months} month{'' if months == 1 else 's'} after the eye test of {when}"
    return {
        DueSource.CLINICIAN: "A clinician set this date.",
        DueSource.PMS: "The practice's own system gave this date.",
        DueSource.PATIENT_INTERVAL: f"This patient's own interval: {span}.",
        DueSource.PRACTICE_INTERVAL: f"The practice's interval: {span}.",
        DueSource.DEFAULT_INTERVAL: f"{patient.get_risk_category_display()}: {span}.",
        DueSource.NEVER_TESTED: "No eye test is on record, so they count as due.",
    }[DueSource(patient.due_source)]


def fate_words(fate: str, channel: str | None, at: datetime | None, codes: Sequence[str]) -> Status:
    """What a dry run says of one patient: when called, which message instead, or why not."""
    if fate == "call_now":
        return Status("Call now", "green")
    if fate == "call_later":
        return Status(f"Call {near(at)}" if at else "Call later", "blue")
    if fate == "message" and channel:
        return Status(f"{Channel(channel).label} instead", "blue")
    return Status(rule_words(codes[0], passed=False) if codes else "Not contacted", "grey")
