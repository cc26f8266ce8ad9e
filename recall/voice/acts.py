"""Doing what the dialogue asks for: finding times, booking, noting outcomes.

Everything happens for this call's own practice and patient, whatever was said, inside the caller's
transaction and under the patient's lock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from practices.journal import Actor
from recall.attempts import outcomes
from recall.booking import book, diary
from recall.booking.diary import DiarySlot
from recall.booking.slots import Slot, pick_three
from recall.models import Attempt, Outcome, TaskKind
from recall.voice import dialogue, summary
from recall.voice.conversation import (
    CallFacts,
    Intent,
    IntentKind,
    OfferedSlot,
    State,
    Step,
    Wish,
)
from sightsync.lib import clock, jobs
from sightsync.lib.errors import AppError

_OUTCOMES: Mapping[IntentKind, Outcome] = {
    IntentKind.DECLINED: Outcome.DECLINED,
    IntentKind.WRONG_PERSON: Outcome.WRONG_PERSON,
    IntentKind.DECEASED: Outcome.DECEASED,
    IntentKind.SYMPTOMS: Outcome.SYMPTOMS,
    IntentKind.OPT_OUT: Outcome.OPTED_OUT,
    IntentKind.NEEDS_STAFF: Outcome.NEEDS_STAFF,
    IntentKind.CALL_BACK: Outcome.CALL_BACK,
    IntentKind.NO_DECISION: Outcome.ANSWERED,
    IntentKind.VOICEMAIL: Outcome.VOICEMAIL,
}
_NO_TIME = frozenset({"no_free_times", "no_time_agreed"})


def perform(*, attempt: Attempt, facts: CallFacts, step: Step) -> Step:
    """The step after all that it asked for was done, with what there is to say about it."""
    actor = speaker(attempt, step.state)
    following: Step | None = None
    # An opt-out comes last: it counts most, and what else was said is still noted.
    for intent in sorted(step.intents, key=lambda one: one.kind is IntentKind.OPT_OUT):
        if intent.kind is IntentKind.FIND_SLOTS:
            following = _find(attempt, facts, step.state, intent.wish or Wish())
        elif intent.kind is IntentKind.BOOK and intent.slot is not None:
            following = _book(attempt, facts, step.state, intent.slot, actor)
        elif intent.kind in _OUTCOMES:
            _note(attempt, intent, actor)
        elif intent.kind in _NOTICES:
            _NOTICES[intent.kind](attempt, actor)
    if following is None:
        return step
    following = perform(attempt=attempt, facts=facts, step=following)
    return following.but(say=step.say + following.say, intents=step.intents + following.intents)


def speaker(attempt: Attempt, state: State) -> Actor:
    """Who the journal says did it: the patient only when they said that they are."""
    if state.identity_confirmed:
        return Actor.patient(attempt.patient_id)
    return Actor.system("call")


def _find(attempt: Attempt, facts: CallFacts, state: State, wish: Wish) -> Step:
    times = diary.free(practice=attempt.practice, now=clock.now())
    wanted = [slot for slot in times if wish.allows(slot.start)]
    later = [slot for slot in times if not _is_before(slot, wish)]
    slots = _three(wanted or later or times)
    return dialogue.offer(state, facts, slots, as_wished=bool(wanted))


def _is_before(slot: DiarySlot, wish: Wish) -> bool:
    return wish.from_date is not None and clock.london(slot.start).date() < wish.from_date


def _three(times: list[DiarySlot]) -> list[OfferedSlot]:
    by_start: dict[object, DiarySlot] = {slot.start: slot for slot in times}
    picked: list[Slot] = pick_three(times)
    return [_offered(by_start[slot.start]) for slot in picked]


def _offered(slot: DiarySlot) -> OfferedSlot:
    return OfferedSlot(id=str(slot.diary_id), starts_at=slot.start)


def _book(
    attempt: Attempt, facts: CallFacts, state: State, slot: OfferedSlot, actor: Actor
) -> Step:
    try:
        appointment = book.book(
            practice=attempt.practice,
            patient=attempt.patient,
            diary_id=UUID(slot.id),
            starts_at=slot.starts_at,
            source="call",
            actor=actor,
            attempt=attempt,
            episode=attempt.episode,
        )
    except book.SlotTaken as taken:
        return dialogue.slot_taken(state, facts, [_offered(one) for one in taken.next_slots])
    except book.AlreadyBooked:
        return dialogue.cannot_book(state, facts, has_appointment=True)
    except AppError:
        return dialogue.cannot_book(state, facts, has_appointment=False)
    booked = OfferedSlot(id=slot.id, starts_at=appointment.starts_at)
    words = summary.of(Intent(IntentKind.BOOK, slot=booked))
    outcomes.record(attempt=attempt, outcome=Outcome.BOOKED, actor=actor, facts={"summary": words})
    return dialogue.booked(state, facts, booked)


def _note(attempt: Attempt, intent: Intent, actor: Actor) -> None:
    known: dict[str, object] = {"summary": summary.of(intent)}
    if intent.window is not None:
        known["call_back_at"] = intent.window.start
    if intent.reason in _NO_TIME:
        known["task"] = TaskKind.NO_FREE_TIME
    outcomes.record(attempt=attempt, outcome=_OUTCOMES[intent.kind], actor=actor, facts=known)


def _identity_confirmed(attempt: Attempt, actor: Actor) -> None:
    outcomes.write(attempt, "call.identity_confirmed", actor, {})


def _recording_declined(attempt: Attempt, actor: Actor) -> None:
    outcomes.write(attempt, "call.recording_declined", actor, {})
    jobs.enqueue("recall.voice.tasks.stop_recording", attempt.public_id)


_NOTICES: Mapping[IntentKind, Callable[[Attempt, Actor], None]] = {
    IntentKind.IDENTITY_CONFIRMED: _identity_confirmed,
    IntentKind.RECORDING_DECLINED: _recording_declined,
}
