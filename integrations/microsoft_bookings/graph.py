"""One request to Graph in our application's own name, and what its failure means.

It must not know what Bookings says: `payloads` reads that.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from integrations import reach
from integrations.microsoft_bookings import oauth, payloads
from integrations.microsoft_bookings.oauth import World
from integrations.pms.pace import Rate, bucket
from integrations.pms.wire import Refusal, Wire, broken
from sightsync.lib.errors import ProviderError, ProviderKind

LIVE_API = "https://graph.microsoft.com/v1.0"
BUSINESSES = "/solutions/bookingBusinesses"
RATE = Rate(per_second=10, burst=60)
"""Graph allows 10,000 requests in ten minutes for an application and mailbox."""
MOST_PAGES = 500


class Needs(StrEnum):
    """The permission that a request needs; the value is the code for its lack."""

    READ = "no_read_permission"
    WRITE = "no_write_permission"


PERMISSIONS = {Needs.READ: "Bookings.Read.All", Needs.WRITE: "BookingsAppointment.ReadWrite.All"}


class Graph:
    """The line to one organisation."""

    def __init__(self, world: World, tenant: str) -> None:
        self._world, self._tenant = world, tenant
        self.base = f"{reach.sandbox('graph')}/v1.0" if world.sandbox else LIVE_API
        self._wire = Wire(
            base_url=self.base, headers={}, bucket=bucket(f"graph:{tenant}", RATE), guarded=False
        )

    def get(self, path: str, **params: str) -> dict[str, Any]:
        found = self.send("GET", path, params=params)
        if not isinstance(found, dict):
            raise broken()
        return found

    def rows(self, path: str, **params: str) -> Iterator[Any]:
        """A list, page after page. Its links must lead back to where we asked."""
        asked: set[str] = set()
        for _ in range(MOST_PAGES):
            found = self.get(path, **params)
            rows = found.get("value")
            if not isinstance(rows, list):
                raise broken()
            yield from rows
            link = found.get("@odata.nextLink")
            if not link:
                return
            path, params = self._follow(link)
            if link in asked or not rows:
                raise broken()
            asked.add(link)
        raise broken()

    def _follow(self, link: Any) -> tuple[str, dict[str, str]]:
        """The token never goes to another address than Graph's."""
        if not isinstance(link, str) or not link.startswith(f"{self.base}/"):
            raise broken()
        parts = urlsplit(link.removeprefix(self.base))
        return parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))

    def send(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, str] | None = None,
        body: Any = None,
        needs: Needs = Needs.READ,
    ) -> Any:
        """The answer's JSON. A token that is over is replaced, once: a 401 has done nothing."""
        try:
            return self._once(method, path, params, body)
        except Refusal as refusal:
            if refusal.status != 401:
                raise _said(refusal, needs) from refusal
        oauth.forget(self._tenant)
        try:
            return self._once(method, path, params, body)
        except Refusal as refusal:
            raise _said(refusal, needs) from refusal

    def _once(self, method: str, path: str, params: dict[str, str] | None, body: Any) -> Any:
        token = oauth.token(self._world, self._tenant)
        headers = {"Authorization": f"Bearer {token}"}
        return self._wire.send(method, path, params=params, body=body, headers=headers).body

    def close(self) -> None:
        self._wire.close()


def _said(refusal: Refusal, needs: Needs) -> ProviderError:
    """The refusal with a code of ours; everything else is as the wire has it."""
    codes = {400: payloads.reason(refusal.body), 403: needs.value, 412: "changed_there"}
    code = codes.get(refusal.status)
    return ProviderError(ProviderKind.REJECTED, refusal.message, code) if code else refusal


def path_of(business_id: str, *parts: str) -> str:
    """The path of a business, or of something in it."""
    return "/".join([BUSINESSES, *(quote(part, safe="") for part in (business_id, *parts))])
