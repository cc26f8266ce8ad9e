"""What was said on the demo's past calls. Words only."""

from recall.models import Outcome

Line = tuple[str, str, str]
"""Who spoke (assistant or patient), what, and the intent that was understood."""

HELLO = (
    "Hello, this is the automated assistant for {practice}. This call is recorded."
    " To stop these calls, press 9 at any time. Am I speaking with {first}?"
)
_REASON = (
    "Thank you, {first}. You are due an eye examination. I can offer: press 1 for {slot},"
    " press 2 for {second}, press 4 for other days."
)
_START: tuple[Line, ...] = (
    ("assistant", HELLO, ""),
    ("patient", "Yes, speaking.", "yes"),
    ("assistant", _REASON, ""),
)

_TALKS: dict[str, tuple[Line, ...]] = {
    Outcome.BOOKED: (
        *_START,
        ("patient", "The first one would be fine.", "choose"),
        ("assistant", "That is {slot}. Shall I book it?", ""),
        ("patient", "Yes please.", "yes"),
        ("assistant", "Thank you. You are booked for {slot} at {practice}. Goodbye.", ""),
    ),
    Outcome.DECLINED: (
        *_START,
        ("patient", "No thank you, I have had them tested in town.", "decline"),
        ("assistant", "That is fine. Thank you. Goodbye.", ""),
    ),
    Outcome.OPTED_OUT: (
        ("assistant", HELLO, ""),
        ("patient", "Please stop calling me.", "opt_out"),
        ("assistant", "I understand. We will not contact you again. Goodbye.", ""),
    ),
    Outcome.WRONG_PERSON: (
        ("assistant", HELLO, ""),
        ("patient", "No, there is nobody of that name here.", "wrong_person"),
        ("assistant", "I am sorry to have troubled you. Goodbye.", ""),
    ),
    Outcome.CALL_BACK: (
        *_START,
        ("patient", "I am driving. Can you ring me later in the week?", "call_back"),
        ("assistant", "Thank you. We will try another time. Goodbye.", ""),
    ),
    Outcome.NEEDS_STAFF: (
        *_START,
        ("patient", "I would rather talk to somebody at the shop.", "human"),
        ("assistant", "Of course. Someone at {practice} will ring you. Goodbye.", ""),
    ),
    Outcome.SYMPTOMS: (
        *_START,
        ("patient", "I have been seeing flashes and a lot of floaters since Tuesday.", "symptoms"),
        (
            "assistant",
            "Thank you for telling me. That needs someone today. Someone at {practice} will ring"
            " you now. If it gets worse, ring 111.",
            "",
        ),
    ),
    Outcome.HUNG_UP: (("assistant", HELLO, ""),),
}

_SUMMARIES: dict[str, str] = {
    Outcome.BOOKED: "Booked {slot}.",
    Outcome.DECLINED: "Did not want an appointment.",
    Outcome.OPTED_OUT: "Asked not to be contacted again.",
    Outcome.WRONG_PERSON: "Somebody else answered.",
    Outcome.CALL_BACK: "Asked to be rung back later.",
    Outcome.NEEDS_STAFF: "Asked to speak to a person.",
    Outcome.SYMPTOMS: "Mentioned symptoms; heard the advice.",
    Outcome.HUNG_UP: "Hung up during the greeting.",
}


def lines(outcome: str) -> tuple[Line, ...]:
    """The turns of a call with that outcome; none when nobody talked."""
    return _TALKS.get(outcome, ())


def summary(outcome: str) -> str:
    return _SUMMARIES.get(outcome, "")
