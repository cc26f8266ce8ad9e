"""The only clock of the product. Everything that asks for the time asks here.

UTC inside, Europe/London wherever law or people are concerned. The source of the time can be
replaced (by the sandbox's pretend clock, by a test); nothing else may call `datetime.now`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


def real_now() -> datetime:
    """The machine's time, aware, UTC. For anchors and leases; rules use `now`."""
    return datetime.now(UTC)


_source: Callable[[], datetime] = real_now


def use(source: Callable[[], datetime]) -> None:
    """Replace the source of `now`; `use(real_now)` puts it back."""
    global _source
    _source = source


@contextmanager
def showing(moment: datetime) -> Iterator[None]:
    """Stop this process's clock at `moment` (aware) for the block: how the demo writes its past."""
    before = _source
    use(lambda: moment)
    try:
        yield
    finally:
        use(before)


def now() -> datetime:
    """The product's time, aware, UTC."""
    return _source()


def london(moment: datetime) -> datetime:
    """The same instant on a London clock."""
    return moment.astimezone(LONDON)


def today() -> date:
    """The date in London."""
    return london(now()).date()


def at_london(day: date, wall: time) -> datetime:
    """The instant (UTC) at which a London clock shows `wall` on `day`.

    A time that the spring change skips is read as the instant one hour later on the clock; of a
    time that happens twice in autumn the first is meant.
    """
    return datetime.combine(day, wall, tzinfo=LONDON).astimezone(UTC)
