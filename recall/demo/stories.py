"""The recalls of the last ten weeks: who was contacted when, by what, and how it ended. Pure."""

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from recall import calling_hours
from recall.models import Channel, EpisodeState, Outcome
from sightsync.lib import clock

WEEKS = 10
_SEED = 7


@dataclass(frozen=True, slots=True)
class Step:
    """One call or message: after how long, on which channel, with what outcome."""

    after: timedelta
    channel: Channel
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Path:
    """How a recall can go. `closes` is blank while it needs the staff."""

    steps: tuple[Step, ...]
    state: EpisodeState
    books_by: str = ""


@dataclass(frozen=True, slots=True)
class Story:
    number: int
    begins: datetime
    path: Path


_AT_ONCE, _SOON, _NEXT_DAY = timedelta(), timedelta(minutes=30), timedelta(hours=24)


def _call(outcome: Outcome) -> Step:
    return Step(_AT_ONCE, Channel.VOICE, outcome)


def _whatsapp(outcome: Outcome) -> Step:
    return Step(_SOON, Channel.WHATSAPP, outcome)


def _email(outcome: Outcome) -> Step:
    return Step(_NEXT_DAY, Channel.EMAIL, outcome)


BOOKED_ON_CALL = Path((_call(Outcome.BOOKED),), EpisodeState.BOOKED, "call")
BOOKED_BY_WHATSAPP = Path(
    (_call(Outcome.NO_ANSWER), _whatsapp(Outcome.READ)), EpisodeState.BOOKED, "link"
)
BOOKED_BY_EMAIL = Path(
    (_call(Outcome.VOICEMAIL), _whatsapp(Outcome.DELIVERED), _email(Outcome.DELIVERED)),
    EpisodeState.BOOKED,
    "link",
)
DECLINED = Path((_call(Outcome.DECLINED),), EpisodeState.DECLINED)
OPTED_OUT = Path((_call(Outcome.OPTED_OUT),), EpisodeState.OPTED_OUT)
EXHAUSTED = Path(
    (_call(Outcome.BUSY), _whatsapp(Outcome.DELIVERED), _email(Outcome.DELIVERED)),
    EpisodeState.EXHAUSTED,
)
HUNG_UP = Path(
    (_call(Outcome.HUNG_UP), _whatsapp(Outcome.UNDELIVERED), _email(Outcome.DELIVERED)),
    EpisodeState.EXHAUSTED,
)
WRONG_PERSON = Path((_call(Outcome.WRONG_PERSON),), EpisodeState.NEEDS_STAFF)
CALL_BACK = Path((_call(Outcome.CALL_BACK),), EpisodeState.NEEDS_STAFF)
HUMAN = Path((_call(Outcome.NEEDS_STAFF),), EpisodeState.NEEDS_STAFF)
SYMPTOMS = Path((_call(Outcome.SYMPTOMS),), EpisodeState.NEEDS_STAFF)

_MIX = (
    [BOOKED_ON_CALL] * 34
    + [BOOKED_BY_WHATSAPP] * 17
    + [BOOKED_BY_EMAIL] * 8
    + [DECLINED] * 11
    + [OPTED_OUT] * 4
    + [EXHAUSTED] * 16
    + [HUNG_UP] * 6
)
# Whatever still needs the staff happened on the last working days.
_OPEN = (SYMPTOMS, WRONG_PERSON, CALL_BACK, HUMAN, WRONG_PERSON, CALL_BACK)


def tell(numbers: list[int], today: date) -> list[Story]:
    """A story for each patient's number, in order of time; the last few are still open."""
    days = working_days(today - timedelta(weeks=WEEKS), today)
    chance = random.Random(_SEED)  # noqa: S311  # not a secret
    closed, left_open = numbers[: -len(_OPEN)], numbers[-len(_OPEN) :]
    # The longest path takes a day and a half: nothing may be left to happen in the future.
    stories = [
        Story(
            number,
            _moment(days[index * (len(days) - 3) // len(closed)], index, chance),
            _MIX[(index * 41 + 5) % len(_MIX)],
        )
        for index, number in enumerate(closed)
    ]
    stories += [
        Story(number, _moment(days[-1 - index % 2], index, chance), path)
        for index, (number, path) in enumerate(zip(left_open, _OPEN, strict=True))
    ]
    return sorted(stories, key=lambda story: (story.begins, story.number))


def working_days(first: date, until: date) -> list[date]:
    """Working days from `first` to the one before `until`."""
    span = (until - first).days
    days = (first + timedelta(days=number) for number in range(span))
    return [day for day in days if is_working_day(day)]


def is_working_day(day: date) -> bool:
    return day.weekday() < 5 and not calling_hours.is_bank_holiday(day, "ENG")


def _moment(day: date, index: int, chance: random.Random) -> datetime:
    """Between half past nine and five on that day."""
    minutes = 30 + chance.randrange(60 * 7)
    start = clock.at_london(day, time(9)).astimezone(UTC)
    return start + timedelta(minutes=minutes, seconds=index % 60)
