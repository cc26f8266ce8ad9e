"""Requests to one practice's Google account, one at a time: the token, the answer, the failure.

One service per use: nothing of Google's library is shared between threads. Every failure leaves
as ProviderError, and the connection is told of it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from google.api_core.client_options import ClientOptions
from google.oauth2.credentials import Credentials
from google_auth_httplib2 import AuthorizedHttp
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from integrations import connections
from integrations.google_calendar import oauth, refusals
from integrations.google_calendar.transport import Http
from integrations.models import Connection
from practices.journal import Actor
from sightsync.lib.errors import ProviderError, ProviderKind

ACTOR = Actor.system("google_calendar")

OF_ONE_EVENT = frozenset({"bad_request", "id_taken", "event_gone", "edited"})
"""Codes that say nothing about the connection itself."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A status that the caller wants to see, and the body of a 2xx."""

    status: int
    body: dict[str, Any]


class Line:
    """The way to one connected account. It renews the access token and keeps the new one."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._credential = connections.credential(connection)

    def pages(self, ask: Callable[[Any, str | None], Any]) -> Iterator[dict[str, Any]]:
        token: str | None = None
        for _ in range(100):
            body = self.call(lambda api, token=token: ask(api, token)).body
            yield from body.get("items", [])
            token = body.get("nextPageToken")
            if not token:
                return
        raise self.failed(unreadable())

    def call(
        self, ask: Callable[..., Any], *, expect: frozenset[int] | set[int] = frozenset()
    ) -> Answer:
        """One request. A status in `expect` is an answer; any other refusal raises."""
        try:
            http = AuthorizedHttp(self._credentials(), http=Http())
            api = build(
                "calendar",
                "v3",
                http=http,
                static_discovery=True,
                cache_discovery=False,
                client_options=ClientOptions(api_endpoint=self._app().api_url),
            )
            body = ask(api).execute(num_retries=0)
        except HttpError as error:
            meant = refusals.meaning(error)
            temporary = meant.kind == ProviderKind.TEMPORARY and error.status_code != 412
            if error.status_code in expect and not temporary:
                connections.worked(self._connection)
                return Answer(int(error.status_code), {})
            raise self.failed(meant) from error
        except ProviderError as error:
            raise self.failed(error) from error
        except ValueError as error:
            raise self.failed(unreadable()) from error
        if body and not isinstance(body, dict):
            raise self.failed(unreadable())
        connections.worked(self._connection)
        return Answer(200, body or {})

    def _app(self) -> oauth.App:
        app = oauth.app_for(self._connection.practice)
        if app is None:
            raise ProviderError(ProviderKind.TEMPORARY, "No app is registered.", "app_refused")
        return app

    def _credentials(self) -> Credentials:
        kept = self._credential
        if not kept.get("refresh_token"):
            raise ProviderError(ProviderKind.REJECTED, "Nothing is permitted.", "auth")
        expires = datetime.fromisoformat(kept["expires_at"]).astimezone(UTC).replace(tzinfo=None)
        return Credentials(  # type: ignore[no-untyped-call]
            token=kept["access_token"], expiry=expires, refresh_handler=self._renew
        )

    def _renew(self, _request: Any, scopes: Any = None) -> tuple[str, datetime]:
        """For the library: a new access token and its end (UTC, as the library wants it: naive)."""
        before = self._credential
        tokens = oauth.refresh(self._app(), refresh_token=before["refresh_token"])
        self._credential = {
            **before,
            "access_token": tokens.access_token,
            "expires_at": tokens.expires_at.isoformat(),
            "refresh_token": tokens.refresh_token or before["refresh_token"],
        }
        connections.renew(
            connection=self._connection, credential=self._credential, instead_of=before
        )
        return tokens.access_token, tokens.expires_at.astimezone(UTC).replace(tzinfo=None)

    def failed(self, error: ProviderError) -> ProviderError:
        """Tells the connection, unless somebody has connected it anew while we asked."""
        fresh = Connection.objects.filter(pk=self._connection.pk).first()
        if fresh is None:  # it is only being connected
            return error
        kept = connections.credential(fresh)
        if kept.get("refresh_token") != self._credential.get("refresh_token"):
            return ProviderError(ProviderKind.TEMPORARY, "Connected anew meanwhile.", "reconnected")
        if error.code not in OF_ONE_EVENT:
            connections.failed(
                connection=fresh,
                code=error.code,
                actor=ACTOR,
                refused=error.code in refusals.NEEDS_PERSON,
            )
        return error


def unreadable() -> ProviderError:
    return ProviderError(
        ProviderKind.UNKNOWN, "Google's answer could not be read.", "broken_answer"
    )
