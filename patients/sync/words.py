"""Why a system could not be read, in words for the practice. Pure."""

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


def failure(code: str) -> str:
    """A sentence; for a code that this module does not know, one that fits every failure."""
    return _FAILURES.get(code, "It did not answer as it should.")
