"""What people are told of an appointment in a connected system: a word, and why in a sentence.

Pure. Amber means "needs you" and red means failed, as everywhere (`recall.wording`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from integrations.models import ConnectionState
from integrations.pms.connector import DELETED_THERE, MOVED_THERE
from practices.templatetags.ui import near
from recall.booking.write_back.results import CONNECT_AGAIN, LOOKS_BEFORE_STAFF, MADE_THERE
from recall.models import AppointmentCopy, CopyState
from recall.wording import Status

# Why it was refused: by the codes of the connectors and of ours.
REFUSALS: Mapping[str, str] = {
    "taken": "That time is taken in {system}. Move the appointment, or make room there.",
    "not_found": "{system} does not know the patient or the diary.",
    "refused": "{system} refused it. Enter it there yourself, or try again.",
    "bad_request": "{system} refused it. Enter it there yourself, or try again.",
    "id_taken": "{system} keeps another entry under its name. Enter it there yourself.",
    "no_staff": "No staff of {system} stand for this diary. Match the diaries in Settings.",
    "staff_gone": "The staff chosen in {system} are gone. Match the diaries again in Settings.",
    "service_gone": "The service chosen in {system} is gone. Choose another in Settings.",
    "wrong_length": "The service chosen in {system} takes another length of time.",
    "outside_hours": "The time is outside the business hours in {system}.",
    "too_late_there": "{system} takes no booking so late, or so far ahead.",
    "staff_refused": "{system} does not let this person be booked for the service.",
    "service_refused": "{system} does not know the service any more. Choose another in Settings.",
    "customer_refused": "{system} did not take the patient’s details. Enter it there yourself.",
    "changed_there": "Somebody changed it in {system} at the same moment. Try again.",
    "no_write_permission": "{system} lets us read and not write. Connect it again in Settings.",
    "no_read_permission": "{system} does not let us look into it. Connect it again in Settings.",
    "not_supported": "{system} takes no bookings from other systems. Enter it there yourself.",
    "too_late": "{system} could not be reached until the appointment was over.",
    "disconnected": "{system} was disconnected before it was written.",
    "deleted_there": "Somebody deleted it in {system}. The appointment still stands, and the"
    " patient expects it: cancel it here, or try again to put it back.",
    "moved_there": "Somebody moved it in {system}. The patient was told another time: move it here"
    " too, or try again to put it back.",
    "job_failed": "It went wrong on our side five times. Try again, or enter it there yourself.",
}
# Why only a person can change what the system itself has made.
BY_HAND: Mapping[str, str] = {
    "disconnected": "is disconnected",
    MADE_THERE: "made it and lets nobody else change it",
}
# Why it waits: nobody has to do anything about these.
DELAYS: Mapping[str, str] = {
    "slow_down": "{system} is busy",
    "rate_limited": "{system} is busy",
    "broken_answer": "{system} answers something that cannot be read",
    "bad_certificate": "The certificate of {system} is not trusted",
    "edited": "Somebody is editing it in {system}",
}


@dataclass(frozen=True, slots=True)
class CopyWords:
    """One system's line: its name, the pill, the sentence, and whether trying again is offered."""

    system: str
    status: Status
    why: str
    can_retry: bool = False

    @property
    def pill_text(self) -> str:
        return f"{self.system}: {self.status.word.lower()}"


def of(copy: AppointmentCopy) -> CopyWords:
    """Say it. Reads the copy's connection and appointment."""
    system = copy.connection.get_kind_display()
    say = {
        CopyState.ACCEPTED: _accepted,
        CopyState.WRITING: _writing,
        CopyState.WRITTEN: _written,
        CopyState.UNKNOWN: _unknown,
        CopyState.FAILED: _failed,
    }[CopyState(copy.state)]
    status, why = say(copy)
    stuck = copy.state == CopyState.FAILED or status.tone == "amber"
    stuck = stuck and copy.reason != MADE_THERE
    connected = copy.connection.state == ConnectionState.CONNECTED
    return CopyWords(
        system, status, why.format(system=system), stuck and connected and not _left_alone(copy)
    )


def needs_somebody(copies: Iterable[AppointmentCopy]) -> list[CopyWords]:
    """Those of an appointment that are not as they should be, for a list."""
    return [words for words in map(of, copies) if words.status.tone in ("amber", "red")]


def task_reason(copy: AppointmentCopy | None) -> str:
    """Why the staff are asked about it."""
    return of(copy).why if copy else "It could not be written into your own system."


def _accepted(copy: AppointmentCopy) -> tuple[Status, str]:
    if copy.reason == CONNECT_AGAIN or copy.connection.state == ConnectionState.NEEDS_ATTENTION:
        return Status("Waiting for you", "amber"), (
            "{system} does not let us in any more. Connect it again, and this is done by itself."
        )
    word, deed = _plan(copy)
    if trouble := copy.reason or copy.connection.error_code:
        when = f" It is tried again {near(copy.next_try_at)}." if copy.next_try_at else ""
        return Status(word, "blue"), f"{DELAYS.get(trouble, '{system} does not answer')}.{when}"
    return Status(word, "blue"), deed


def _plan(copy: AppointmentCopy) -> tuple[str, str]:
    if copy.wanted == 0:
        return "To be taken out", "It is taken out of {system} in a moment."
    if copy.standing:
        return "New time to be written", "The old time stands in {system} until then."
    return "To be written", "It is written into {system} in a moment."


def _writing(copy: AppointmentCopy) -> tuple[Status, str]:
    return Status("Being written", "blue", live=True), "This takes a few seconds."


def _written(copy: AppointmentCopy) -> tuple[Status, str]:
    if _left_alone(copy):
        return Status("Left as it was", "grey"), (
            "{system} was disconnected, so what stands there was not touched. Change it there."
        )
    if copy.wanted:
        return Status("Written", "green"), f"It stands in {{system}}, {near(copy.written_at)}."
    if copy.standing is None:
        return Status("Not written", "grey"), "It was cancelled before it was written."
    return Status("Taken out", "grey"), f"It was taken out of {{system}}, {near(copy.written_at)}."


def _unknown(copy: AppointmentCopy) -> tuple[Status, str]:
    if copy.next_try_at is None or copy.tries >= LOOKS_BEFORE_STAFF:
        return Status("Not known", "amber"), (
            "The connection broke while it was written. Look in {system} whether it is there."
        )
    return Status("Being checked", "blue"), (
        "The connection broke while it was written. {system} is asked whether it is there."
    )


def _failed(copy: AppointmentCopy) -> tuple[Status, str]:
    disconnected = copy.connection.state == ConnectionState.DISCONNECTED
    if (disconnected or copy.reason == "disconnected") and not copy.standing:
        return Status("Not written", "grey"), REFUSALS["disconnected"]
    if not copy.wanted:
        return Status("Not taken out", "red"), _not_taken_out(copy)
    if copy.reason in BY_HAND:
        why = BY_HAND[copy.reason]
        return Status("Old time there", "red"), (
            f"The old time stands in {{system}}, which {why}. Move it there by hand."
        )
    word = {DELETED_THERE: "Deleted there", MOVED_THERE: "Moved there"}
    status = Status(word.get(copy.reason, "Not written"), "red")
    return status, REFUSALS.get(copy.reason, "{system} refused it.")


def _not_taken_out(copy: AppointmentCopy) -> str:
    """It still stands there, whatever the reason."""
    if copy.reason in BY_HAND:
        return (
            f"It still stands in {{system}}, which {BY_HAND[copy.reason]}. Cancel it there by hand."
        )
    why = "that went wrong on our side five times" if copy.reason == "job_failed" else "it refused"
    return f"It still stands in {{system}}: {why}. Cancel it there by hand, or try again."


def _left_alone(copy: AppointmentCopy) -> bool:
    """Whether the appointment has changed since the system was disconnected."""
    if copy.connection.state != ConnectionState.DISCONNECTED or not copy.standing:
        return False
    now = copy.appointment.version if copy.appointment.cancelled_at is None else 0
    return now != copy.standing
