"""How messages are said to people: what a message was about, and why one did not arrive. Pure.

The carrier's codes: https://www.twilio.com/docs/api/errors
"""

from recall.models import Attempt, AttemptState, Outcome, Purpose, TestMessage
from recall.wording import Status, rule_words

KINDS: dict[str, str] = {
    Purpose.RECALL: "Recall",
    Purpose.CONFIRMATION: "Booking confirmation",
    Purpose.REMINDER: "Reminder",
    Purpose.CANCELLATION: "Cancellation",
}

_CODES: dict[str, str] = {
    "21211": "The number does not exist",
    "21214": "The number cannot be reached",
    "21217": "The number does not exist",
    "21408": "Messages to this country are not switched on",
    "21610": "The phone replied STOP to this number before",
    "21612": "This number cannot be texted from ours",
    "21614": "Not a mobile number",
    "30003": "The phone was off or out of reach for too long",
    "30004": "The phone blocks this message",
    "30005": "The number is not in use",
    "30006": "A landline, or a network that takes no texts",
    "30007": "The network took it for spam",
    "30008": "The network gave no reason",
    "63003": "The number is not on WhatsApp",
    "63016": "WhatsApp wants an approved template for this message",
    "63024": "The number is not on WhatsApp",
    "63049": "WhatsApp held it back",
}

_REASONS: dict[str, str] = {
    "appointment_moved": "The appointment was moved before it went",
    "appointment_cancelled": "The appointment was cancelled before it went",
    "appointment_over": "The appointment had begun",
    "appointment_stands": "The appointment stands",
    "bad_number": "The number does not exist",
    "campaign_stopped": "The recall was stopped",
    "carrier_busy": "The carrier was busy: it is tried again",
    "carrier_opt_out": "The phone replied STOP to this number before",
    "carrier_refused": "The carrier refused it",
    "carrier_unavailable": "The carrier could not be reached",
    "no_from_number": "The practice has no number to send from",
    "no_whatsapp_template": "No WhatsApp template is approved yet",
    "no_wording": "There is no wording for this message",
    "not_delivered": "It could not be delivered",
    "opted_out": "The patient opted out",
    "recall_closed": "The recall had ended",
}

_BAD = (Outcome.UNDELIVERED, Outcome.FAILED)


def why_not(attempt: Attempt) -> str:
    """Why it did not go or arrive, or why it waits; blank when there is nothing to explain."""
    ended_badly = attempt.outcome in _BAD or attempt.state == AttemptState.FAILED
    if ended_badly and attempt.error_code in _CODES:
        return _CODES[attempt.error_code]
    waits = attempt.state in (AttemptState.PLANNED, AttemptState.CANCELLED)
    if not (ended_badly or waits) or not attempt.reason:
        return ""
    return _REASONS.get(attempt.reason) or rule_words(attempt.reason, passed=False)


def of_test(row: TestMessage) -> Status:
    """What became of a message that staff sent to themselves."""
    if row.state == AttemptState.FAILED:
        return Status(_CODES.get(row.error_code, "Could not be sent"), "red")
    if row.state == AttemptState.UNKNOWN:
        return Status("Not known whether it was sent", "amber")
    if row.state == AttemptState.DONE:
        return Status("Read" if row.provider_status == "read" else _DONE[row.channel], "green")
    return Status("On its way", "blue")


_DONE = {"email": "Sent", "whatsapp": "Delivered", "sms": "Delivered"}
