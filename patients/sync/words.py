"""Why a system, or a record of it, could not be read: in words for the practice. Pure."""

from collections import Counter
from collections.abc import Mapping

_FAILURES: Mapping[str, str] = {
    "auth": "It no longer accepts the key. Connect it again with a new one.",
    "too_many_gone": (
        "More than a fifth of your patients were missing from it, so nobody was put away. "
        "Look whether its list is whole."
    ),
    "disconnected": "It was disconnected meanwhile.",
    "same_page": "It gave the same page again and again.",
    "no_end": "Its list had no end.",
    "gave_up": "Reading it broke off again and again.",
    "broken_answer": "Its answers could not be understood.",
    "timeout": "It did not answer in time.",
    "slow_down": "It asked us to slow down, again and again.",
    "server_error": "It has a fault of its own.",
    "broken_connection": "It broke the connection off.",
    "unreachable": "It could not be reached.",
}


_UNUSABLE: Mapping[str, str] = {
    "unreadable": "The record could not be read.",
    "no_id": "The record has no number of its own there.",
    "erased": "Erased here at the patient’s wish, and not brought back.",
    "id_of_another": "Their number belongs to somebody of another name here.",
    "first_name.required": "There is no first name.",
    "no_contact": "There is neither a telephone number nor an email address.",
    "ambiguous_patient": "Several patients here share the number, and none has this name.",
    "external_id_taken": "Somebody else here has their number there.",
    "unknown_patient": "An appointment of somebody who is no patient here.",
    "patient_gone": "An appointment of somebody whose record is closed here.",
}
_OF_A_FIELD: Mapping[str, str] = {
    "phone_number": "The telephone number cannot be used, and there is no email address.",
    "email": "The email address cannot be used, and there is no telephone number.",
    "first_name": "The first name cannot be used.",
    "last_name": "The last name cannot be used.",
    "external_id": "Their number there cannot be used.",
}


def unusable(reasons: Mapping[str, int]) -> list[tuple[str, int]]:
    """Why records could not be used, each a sentence and how many; the most frequent first."""
    found: Counter[str] = Counter()
    for code, count in reasons.items():
        of_field = _OF_A_FIELD.get(code.partition(".")[0], "Something else in the record is wrong.")
        found[_UNUSABLE.get(code, of_field)] += count
    return found.most_common()


def failure(code: str) -> str:
    """A sentence; for a code that this module does not know, one that fits every failure."""
    return _FAILURES.get(code, "It did not answer as it should.")
