"""What may go wrong on purpose, per server. It only keeps and hands out faults."""

from dataclasses import dataclass, field
from typing import Any

ANSWER_MODES = frozenset(
    {"delay", "429", "500", "broken_json", "html", "drop_after_accept", "drop_before_accept"}
)
CALLBACK_MODES = frozenset(
    {"duplicate_callbacks", "reorder_callbacks", "early_callbacks", "callbacks_off"}
)
ACCEPTING = frozenset({"delay", "broken_json", "drop_after_accept"})
"""Modes in which the provider did what was asked, whatever the caller saw."""


class UnknownFaultError(ValueError):
    """No such mode."""


@dataclass(kw_only=True)
class Fault:
    """`times` requests go wrong (None: all of them), if `match` is part of the request's text."""

    mode: str
    times: int | None
    match: str = ""
    seconds: float = 15.0
    retry_after: int = 1
    accept: bool = False

    def fits(self, text: str) -> bool:
        return self.match in text and (self.times is None or self.times > 0)


@dataclass
class Faults:
    """The faults that are set, by server."""

    by_server: dict[str, list[Fault]] = field(default_factory=dict)

    def set(self, server: str, wish: dict[str, Any]) -> Fault:
        """`wish` has `mode`, and may have the fields of a Fault.

        `times` is 1 when left out; for callback modes it is for ever.
        """
        mode = str(wish.get("mode", ""))
        if mode not in ANSWER_MODES | CALLBACK_MODES:
            raise UnknownFaultError(mode)
        times = wish.get("times", 1 if mode in ANSWER_MODES else None)
        fault = Fault(
            mode=mode,
            times=None if times is None else int(times),
            match=str(wish.get("match") or ""),
            seconds=float(wish.get("seconds", 15.0)),
            retry_after=int(wish.get("retry_after", 1)),
            accept=bool(wish.get("accept", mode in ACCEPTING)),
        )
        self.by_server.setdefault(server, []).append(fault)
        return fault

    def clear(self, server: str) -> None:
        self.by_server.pop(server, None)

    def take(self, server: str, text: str) -> Fault | None:
        """The fault that the request meets, used up once."""
        return self._take(server, text, ANSWER_MODES)

    def take_callback(self, server: str, text: str) -> str:
        """The mode in which the callbacks of a new call or message are sent, or nothing."""
        fault = self._take(server, text, CALLBACK_MODES)
        return fault.mode if fault else ""

    def _take(self, server: str, text: str, modes: frozenset[str]) -> Fault | None:
        for fault in self.by_server.get(server, []):
            if fault.mode in modes and fault.fits(text):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None
