"""What the sandbox's practice management servers have in common over HTTP: who is asking, and how
a refusal is spelt.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from integrations.sandbox.pms_office import Office, RefusedError, practices
from integrations.sandbox.wire import BRIEF
from integrations.sandbox.world import world_of

Handler = Callable[[web.Request, Office], Awaitable[web.StreamResponse]]
LONG = 20
MESSAGES = {
    "wrong_key": "The API key is not known.",
    "token_expired": "The session is over.",
    "slot_taken": "Another appointment is at that time.",
    "unknown_patient": "There is no such patient.",
    "unknown_diary": "There is no such diary.",
    "unknown_appointment": "There is no such appointment.",
    "no_patient": "A patient is needed.",
    "bad_request": "The request cannot be read.",
    "slow_down": "Too many requests.",
    "server_error": "Something went wrong.",
}


@dataclass(frozen=True, kw_only=True)
class Vendor:
    """`key_of` finds the API key in a request, empty for none; it may raise RefusedError.
    `refusal` is the body in which a refusal is spelt.
    """

    server: str
    key_of: Callable[[web.Request], str]
    refusal: Callable[[str, int], Mapping[str, Any]]

    def speaks(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The handler, given the practice whose key it is."""

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                key = self.key_of(request)
                return await handler(request, practices(world_of(request), self.server).of(key))
            except RefusedError as refused:
                return web.json_response(
                    self.refusal(refused.code, refused.status), status=refused.status
                )
            except (KeyError, ValueError, TypeError, AttributeError):
                return web.json_response(self.refusal("bad_request", 400), status=400)

        return answer


def briefly(request: web.Request, rows: int) -> None:
    """Keeps a page of patients out of the sandbox's log: only how many there were."""
    if rows > LONG:
        request[BRIEF] = {"rows": rows}


def moment(text: str) -> datetime:
    """Raises ValueError for one without an offset."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(text)
    return found


def number_in(spelt: Any, prefix: str = "") -> int:
    """The number of a record in a vendor's spelling; 0, which nobody has, when it is none."""
    digits = str(spelt or "").removeprefix(prefix)
    return int(digits) if digits.isascii() and digits.isdigit() else 0
