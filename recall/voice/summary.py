"""One sentence about a call for the staff, by rules from what was decided. No clinical words."""

from __future__ import annotations

from recall.voice import script
from recall.voice.conversation import Intent, IntentKind

_DECLINED = {
    "tested_elsewhere": "Declined: has been tested elsewhere.",
    "cost": "Declined: because of the cost.",
    "moved": "Declined: has moved away.",
    "not_now": "Declined for now.",
    "not_interested": "Declined: does not want an appointment.",
}
_STAFF = {
    "hearing": "Finds the phone hard to hear. Asked for a person.",
    "language": "Asked for help with the language.",
    "cannot_travel": "Cannot come to the practice. Asked for a person.",
    "appointment": "Asked about an appointment they have.",
    "says_booked": "Says that they have an appointment. Check the diary.",
    "no_free_times": "Wanted a time, but none was free.",
    "no_time_agreed": "Wanted to come, but no offered time suited.",
    "bereaved": "Has had a death in the family. Ring with care, or wait.",
    "cannot_book": "Wanted a time, but it could not be booked.",
    "possible_death": "May have spoken of a death. Check before any more contact.",
    "interrupted": "The call broke off while a time was being found.",
}
_NO_DECISION = {
    "silence": "Nobody spoke.",
    "unclear": "The answers could not be understood.",
    "too_long": "The call grew too long and was ended.",
    "someone_else": "Somebody else answered. They heard the practice's name and number.",
    "refused_unidentified": "Whoever answered did not want to talk, and did not say who they were.",
    "will_ring": "Will ring or book by themselves.",
    "wants_message": "Asked for a message instead of a call.",
}
_PLAIN = {
    IntentKind.OPT_OUT: "Asked not to be contacted again.",
    IntentKind.SYMPTOMS: "Mentioned symptoms. They heard the approved advice.",
    IntentKind.WRONG_PERSON: "The number belongs to somebody else.",
    IntentKind.DECEASED: "Whoever answered said that the patient has died.",
    IntentKind.VOICEMAIL: "A machine answered. It heard the practice's name and number.",
}


def of(intent: Intent) -> str:
    """What the staff read about the call that brought this."""
    if intent.kind is IntentKind.BOOK and intent.slot:
        return f"Booked {script.say_time(intent.slot.starts_at)}."
    if intent.kind is IntentKind.CALL_BACK:
        if intent.window is None:
            return "Asked to be rung another time."
        return f"Asked to be rung from {script.say_time(intent.window.start)}."
    if intent.kind is IntentKind.DECLINED:
        return _DECLINED.get(intent.reason, "Declined an appointment.")
    if intent.kind is IntentKind.NEEDS_STAFF:
        return _STAFF.get(intent.reason, "Asked to speak to a person.")
    if intent.kind is IntentKind.NO_DECISION:
        return _NO_DECISION.get(intent.reason, "Answered, but nothing was decided.")
    return _PLAIN.get(intent.kind, "")
