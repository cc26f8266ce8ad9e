"""Every sentence the call can say.

Words only: which one is said when is the dialogue's business. Nothing here names a condition, and
nothing but the offer says why we ring. Reading age 9 to 11, the practice's name first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time

import phonenumbers

from recall.voice.conversation import LONDON, CallFacts, OfferedSlot, Stage, Window

Words = tuple[str, ...]

SORRY = "Sorry, I did not catch that."
NOTHING_HEARD = "I did not hear anything."
GOODBYE = "Goodbye."


def greeting(facts: CallFacts) -> Words:
    """Who calls and that it is a machine, in the first sentence; then the notices."""
    words = [f"Hello, this is the automated assistant for {facts.practice_name}."]
    if facts.recording:
        words.append("This call is recorded. Say no recording to refuse.")
    words.append("To stop these calls, press 9 at any time.")
    return (*words, *identity(facts))


def identity(facts: CallFacts) -> Words:
    if facts.contact_is_guardian:
        who = f"to the parent or guardian of {facts.patient_first_name}"
    else:
        who = f"with {facts.patient_first_name}"
    return (f"Am I speaking {who}?", "Say yes or no, or press 1 for yes, 2 for no.")


def identity_by_keypad(facts: CallFacts) -> Words:
    return (identity(facts)[0], "Press 1 for yes, or 2 for no.")


def who_calls(facts: CallFacts) -> Words:
    """The answer to "who is this?"; says no reason, whoever asks."""
    return (
        f"I am the automated assistant for {facts.practice_name}.",
        f"You can check by ringing {facts.practice_phone_spoken}.",
    )


def reason_comes_later(facts: CallFacts) -> Words:
    if facts.contact_is_guardian:
        return ("I can only say more to a parent or guardian.",)
    return (f"I can only say more to {facts.patient_first_name}.",)


def waiting() -> Words:
    return ("Of course, take your time.",)


def number_check(facts: CallFacts) -> Words:
    """Asked of somebody who is not the person: is it the number that is wrong?"""
    who = facts.patient_first_name
    if facts.contact_is_guardian:
        who = f"the parent or guardian of {who}"
    return (
        f"Sorry about that. Can I reach {who} on this number?",
        "Press 1 for yes, or 2 for no.",
    )


def why_we_call(facts: CallFacts) -> Words:
    """The one sentence that says why. Only for the person, or the child's parent or guardian."""
    if facts.contact_is_guardian:
        return (f"Thank you. {facts.patient_first_name} is due {facts.reason}.",)
    return (f"Thank you, {facts.patient_first_name}. You are due {facts.reason}.",)


def offer(slots: Sequence[OfferedSlot]) -> Words:
    """The agreed words of the offer; the position of a slot is its key."""
    keys = [f"press {n} for {say_time(slot.starts_at)}" for n, slot in enumerate(slots, start=1)]
    return (
        f"I can offer: {', '.join(keys)}, press 4 for other days.",
        "Or say no thank you.",
    )


def nothing_then() -> Words:
    return ("I have nothing free then.",)


def slot_gone() -> Words:
    return ("Sorry, that time has just been taken.",)


def nothing_free(facts: CallFacts) -> Words:
    return (
        "I have no free times to offer just now.",
        f"I will ask someone at {facts.practice_name} to ring you.",
        GOODBYE,
    )


def read_back(slot: OfferedSlot) -> Words:
    return (
        f"That is {say_time(slot.starts_at)}. Shall I book it?",
        "Say yes or press 1. Say no or press 2.",
    )


def booked(facts: CallFacts, slot: OfferedSlot) -> Words:
    return (
        f"Thank you. You are booked for {say_time(slot.starts_at)} at {facts.practice_name}.",
        f"To change it, ring {facts.practice_phone_spoken}.",
        GOODBYE,
    )


def declined(facts: CallFacts) -> Words:
    return (
        f"That is fine. If you change your mind, ring {facts.practice_name} "
        f"on {facts.practice_phone_spoken}.",
        f"Thank you. {GOODBYE}",
    )


def call_back_when() -> Words:
    return ("When should we call you back?", "Say a day and a time, such as tomorrow afternoon.")


def call_back_hours(facts: CallFacts) -> Words:
    hours = f"{say_clock(facts.calls_from)} and {say_clock(facts.calls_until)}"
    return (f"We can only call Monday to Friday, between {hours}.", *call_back_when())


def call_back_noted(window: Window | None) -> Words:
    if window is None:
        return (f"Thank you. We will try another time. {GOODBYE}",)
    start = window.start.astimezone(LONDON)
    return (f"Thank you. We will try again from {say_time(start)}. {GOODBYE}",)


def opted_out(facts: CallFacts) -> Words:
    return (f"Thank you. {facts.practice_name} will stop. We will not call you again.", GOODBYE)


def wrong_person() -> Words:
    return ("Sorry to have troubled you. I will tell the practice.", GOODBYE)


def name_and_number(facts: CallFacts) -> Words:
    """For anybody but the patient, and for a voicemail: no reason, no name but the practice's."""
    return (
        f"This was {facts.practice_name}. Our number is {facts.practice_phone_spoken}.",
        GOODBYE,
    )


def voicemail(facts: CallFacts) -> Words:
    phone = facts.practice_phone_spoken
    return (f"Hello, this is {facts.practice_name}. Our number is {phone}. {GOODBYE}",)


def deceased(facts: CallFacts) -> Words:
    return (
        "I am very sorry for your loss.",
        f"I will tell {facts.practice_name}, and these calls will stop.",
        GOODBYE,
    )


def bereaved(facts: CallFacts) -> Words:
    return (
        "I am very sorry for your loss.",
        f"I will not keep you. You can reach {facts.practice_name} "
        f"on {facts.practice_phone_spoken}.",
        GOODBYE,
    )


def symptoms(facts: CallFacts) -> Words:
    """The practice's own approved advice, and nothing of ours."""
    return (
        facts.symptom_advice,
        f"I am passing this to {facts.practice_name} now, marked urgent. "
        f"The number is {facts.practice_phone_spoken}.",
        GOODBYE,
    )


def person_will_ring(facts: CallFacts) -> Words:
    return (
        f"I will ask someone at {facts.practice_name} to ring you.",
        f"You can also ring {facts.practice_phone_spoken}.",
        GOODBYE,
    )


def diary_will_be_checked(facts: CallFacts) -> Words:
    return (f"Thank you. I will ask {facts.practice_name} to check the diary.", GOODBYE)


def question_for_practice(facts: CallFacts) -> Words:
    return (
        f"I cannot answer that, but the practice can. The number is {facts.practice_phone_spoken}.",
    )


def recording_off() -> Words:
    return ("I will stop the recording.",)


def giving_up(facts: CallFacts) -> Words:
    """The polite end when nothing was understood."""
    return ("I will leave it there for today.", *name_and_number(facts))


def failure(facts: CallFacts) -> Words:
    """Something of ours broke: who called, and how to stop the calls."""
    return (
        f"This was {facts.practice_name}. Sorry, something went wrong and I cannot go on.",
        f"You can ring us on {facts.practice_phone_spoken}.",
        "To stop these calls, press 9 now.",
    )


def inbound(facts: CallFacts) -> Words:
    """For a person who rings our number back; we do not know who holds the phone."""
    return (
        f"Hello, this is the automated assistant for {facts.practice_name}.",
        f"We tried to reach you. To speak to the practice, ring {facts.practice_phone_spoken}.",
        "To stop these calls, press 9 now.",
    )


_YES_NO_HINTS = ("yes", "no", "speaking", "wrong number", "stop calling me")
_HINTS = {
    Stage.IDENTITY: _YES_NO_HINTS,
    Stage.NUMBER_CHECK: _YES_NO_HINTS,
    Stage.READ_BACK: _YES_NO_HINTS,
    Stage.OFFER: ("the first one", "another day", "no thank you", "morning", "afternoon"),
    Stage.CALL_BACK: ("tomorrow", "afternoon", "morning", "next week", "Monday", "Friday"),
}


def hints(stage: Stage, slots: Sequence[OfferedSlot]) -> Words:
    """Words the recogniser should expect; of an offer, its own days and times."""
    times: list[str] = []
    if stage is Stage.OFFER:
        for slot in slots:
            local = slot.local()
            times += [f"{local:%A}", f"{local:%A} {local.day} {local:%B}", say_clock(local.time())]
    return (*dict.fromkeys(times), *_HINTS.get(stage, ()))


def say_time(moment: datetime) -> str:
    """ "Tuesday 24 November at 2:30pm", on London's clock."""
    local = moment.astimezone(LONDON)
    return f"{local:%A} {local.day} {local:%B} at {say_clock(local.time())}"


def say_clock(clock: time) -> str:
    """ "9am", "2:30pm"."""
    hour = clock.hour % 12 or 12
    minutes = f":{clock.minute:02d}" if clock.minute else ""
    return f"{hour}{minutes}{'am' if clock.hour < 12 else 'pm'}"


def spoken_phone(e164: str) -> str:
    """A UK number digit by digit with a pause between its groups, so that it can be noted."""
    number = phonenumbers.parse(e164, "GB")
    national = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    return ", ".join(" ".join(group) for group in national.split())
