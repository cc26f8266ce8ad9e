"""The nouns of a recall call: facts, slots, state, what was meant, what to say next.

Plain frozen values shared by the engine, the understanding and the transport. No ORM, no clock,
no settings: everything that can change from outside comes in as an argument.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


class Stage(StrEnum):
    """Which question is open."""

    IDENTITY = "identity"
    NUMBER_CHECK = "number_check"
    FINDING = "finding"
    OFFER = "offer"
    READ_BACK = "read_back"
    BOOKING = "booking"
    CALL_BACK = "call_back"
    CLOSED = "closed"


class Kind(StrEnum):
    """Everything a person can mean, as far as the dialogue is concerned."""

    YES = "yes"
    NO = "no"
    GREETING = "greeting"
    HOLD = "hold"
    SOMEONE_ELSE = "someone_else"
    WRONG_PERSON = "wrong_person"
    DECEASED = "deceased"
    OPT_OUT = "opt_out"
    SYMPTOMS = "symptoms"
    HUMAN = "human"
    REPEAT = "repeat"
    WHO = "who"
    QUESTION = "question"
    CHOOSE = "choose"
    OTHER_TIMES = "other_times"
    DECLINE = "decline"
    CALL_BACK = "call_back"
    ALREADY_BOOKED = "already_booked"
    WILL_RING = "will_ring"
    MACHINE = "machine"
    UNCLEAR = "unclear"


class Flag(StrEnum):
    """What must be acted on whatever else was said in the same breath."""

    OPT_OUT = "opt_out"
    SYMPTOMS = "symptoms"
    DECEASED = "deceased"
    BEREAVED = "bereaved"
    NO_RECORDING = "no_recording"


class IntentKind(StrEnum):
    """What the dialogue asks the world outside to do."""

    IDENTITY_CONFIRMED = "identity_confirmed"
    RECORDING_DECLINED = "recording_declined"
    FIND_SLOTS = "find_slots"
    BOOK = "book"
    OPT_OUT = "opt_out"
    SYMPTOMS = "symptoms"
    NEEDS_STAFF = "needs_staff"
    CALL_BACK = "call_back"
    DECLINED = "declined"
    WRONG_PERSON = "wrong_person"
    DECEASED = "deceased"
    NO_DECISION = "no_decision"
    VOICEMAIL = "voicemail"


@dataclass(frozen=True)
class CallFacts:
    """What the dialogue may say. Nothing else about the patient is ever passed in.

    `reason` is neutral and starts with an article ("a routine eye examination"); it names no
    condition. `symptom_advice` is the practice's own approved text. `practice_phone_spoken` is
    the number as digits with pauses.
    """

    practice_name: str
    practice_phone: str
    practice_phone_spoken: str
    patient_first_name: str
    reason: str
    symptom_advice: str
    recording: bool = False
    contact_is_guardian: bool = False
    calls_from: time = time(9)
    calls_until: time = time(18)


@dataclass(frozen=True)
class OfferedSlot:
    """A free time that may be offered. `id` means something to the caller only."""

    id: str
    starts_at: datetime

    def local(self) -> datetime:
        """The start on the clock in the practice."""
        return self.starts_at.astimezone(LONDON)


@dataclass(frozen=True)
class Wish:
    """When somebody would like to come. Empty fields mean that any will do."""

    weekdays: tuple[int, ...] = ()
    earliest: time | None = None
    latest: time | None = None
    from_date: date | None = None
    to_date: date | None = None

    def allows(self, starts_at: datetime) -> bool:
        """Whether a start (aware) fits. `latest` and `to_date` are inclusive."""
        local = starts_at.astimezone(LONDON)
        return (
            (not self.weekdays or local.weekday() in self.weekdays)
            and (self.earliest is None or local.time() >= self.earliest)
            and (self.latest is None or local.time() <= self.latest)
            and (self.from_date is None or local.date() >= self.from_date)
            and (self.to_date is None or local.date() <= self.to_date)
        )

    def is_empty(self) -> bool:
        """Whether the wish excludes nothing."""
        return self == Wish()

    def to_json(self) -> dict[str, Any]:
        return {
            "weekdays": list(self.weekdays),
            "earliest": self.earliest.isoformat() if self.earliest else None,
            "latest": self.latest.isoformat() if self.latest else None,
            "from_date": self.from_date.isoformat() if self.from_date else None,
            "to_date": self.to_date.isoformat() if self.to_date else None,
        }


@dataclass(frozen=True)
class Window:
    """From when until when to ring back; both aware, `until` exclusive."""

    start: datetime
    until: datetime


@dataclass(frozen=True)
class Utterance:
    """One answer as the carrier heard it. `confidence` is 0 to 1, None when not given."""

    speech: str = ""
    digits: str = ""
    confidence: float | None = None

    def is_silence(self) -> bool:
        return not self.speech.strip() and not self.digits


@dataclass(frozen=True)
class Meaning:
    """What was understood. `slots` are positions in the offered list, `reason` a short code."""

    kind: Kind = Kind.UNCLEAR
    flags: frozenset[Flag] = frozenset()
    slots: tuple[int, ...] = ()
    wish: Wish | None = None
    window: Window | None = None
    reason: str = ""


@dataclass(frozen=True)
class Intent:
    """One thing for the world outside to do. `reason` is a code, never a person's words."""

    kind: IntentKind
    slot: OfferedSlot | None = None
    wish: Wish | None = None
    window: Window | None = None
    reason: str = ""


@dataclass(frozen=True)
class Listen:
    """How to listen after speaking."""

    hints: tuple[str, ...] = ()
    seconds: int = 5


@dataclass(frozen=True)
class State:
    """Everything the dialogue remembers between two turns; survives JSON unchanged."""

    stage: Stage = Stage.IDENTITY
    turns: int = 0
    silences: int = 0
    unclear: int = 0
    identity_asked: int = 0
    identity_confirmed: bool = False
    recording_declined: bool = False
    searches: int = 0
    found: tuple[OfferedSlot, ...] = ()
    offered: tuple[OfferedSlot, ...] = ()
    chosen: OfferedSlot | None = None
    call_back_asked: int = 0
    last_said: tuple[str, ...] = field(default=())

    def to_json(self) -> dict[str, Any]:
        return {
            "stage": self.stage.value,
            "turns": self.turns,
            "silences": self.silences,
            "unclear": self.unclear,
            "identity_asked": self.identity_asked,
            "identity_confirmed": self.identity_confirmed,
            "recording_declined": self.recording_declined,
            "searches": self.searches,
            "found": [_slot_to_json(slot) for slot in self.found],
            "offered": [_slot_to_json(slot) for slot in self.offered],
            "chosen": _slot_to_json(self.chosen) if self.chosen else None,
            "call_back_asked": self.call_back_asked,
            "last_said": list(self.last_said),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> State:
        """The state that `to_json` wrote. Raises KeyError or ValueError on anything else."""
        return cls(
            stage=Stage(data["stage"]),
            turns=data["turns"],
            silences=data["silences"],
            unclear=data["unclear"],
            identity_asked=data["identity_asked"],
            identity_confirmed=data["identity_confirmed"],
            recording_declined=data["recording_declined"],
            searches=data["searches"],
            found=tuple(_slot_from_json(slot) for slot in data["found"]),
            offered=tuple(_slot_from_json(slot) for slot in data["offered"]),
            chosen=_slot_from_json(data["chosen"]) if data["chosen"] else None,
            call_back_asked=data["call_back_asked"],
            last_said=tuple(data["last_said"]),
        )


@dataclass(frozen=True)
class Step:
    """One move of the dialogue: the new state, what to say, how to listen, what to do."""

    state: State
    say: tuple[str, ...]
    listen: Listen | None
    intents: tuple[Intent, ...] = ()
    hang_up: bool = False

    def but(self, **changes: Any) -> Step:
        """The same step with some fields changed."""
        return replace(self, **changes)


def _slot_to_json(slot: OfferedSlot) -> dict[str, str]:
    return {"id": slot.id, "starts_at": slot.starts_at.isoformat()}


def _slot_from_json(data: dict[str, str]) -> OfferedSlot:
    return OfferedSlot(id=data["id"], starts_at=datetime.fromisoformat(data["starts_at"]))
