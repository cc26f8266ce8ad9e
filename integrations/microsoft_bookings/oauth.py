"""Microsoft's sign-in: the administrator's consent, the proof of whose consent it was, and tokens.

The organisation (tenant) in the answer to the consent is a mere parameter of an address: anybody
can write another one there, and our application may read every organisation that ever consented.
So it counts only once the same browser has signed in at that organisation.
https://learn.microsoft.com/entra/identity-platform/v2-admin-consent

It must not know practices' rows.
"""

import json
import threading
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

import httpx
import msal
from django.conf import settings

from integrations import reach
from integrations.pms.guard import Backend, Transport
from sightsync.lib.errors import AppError, ProviderError, ProviderKind

# What comes back as a cross-site POST comes without our session's cookie (SameSite=Lax), and the
# code is of no use without the verifier that is kept there.
warnings.filterwarnings("ignore", message="response_mode='form_post' is recommended")

LOGIN = "https://login.microsoftonline.com"
SCOPE = "https://graph.microsoft.com/.default"
ANY_ORGANISATION = "organizations"
SANDBOX_CLIENT = ("sandbox-microsoft-client", "sandbox-microsoft-secret")
DEADLINE_S = 10.0
LONGEST_ANSWER = 256 * 1024
MOST_APPLICATIONS = 500


@dataclass(frozen=True, slots=True)
class World:
    """Which Microsoft: the real one, or the sandbox's, with the application's name and secret."""

    sandbox: bool

    @property
    def client(self) -> tuple[str, str]:
        """A sandbox never sees the real secret."""
        if self.sandbox:
            return SANDBOX_CLIENT
        return settings.MICROSOFT_CLIENT_ID, settings.MICROSOFT_CLIENT_SECRET

    @property
    def is_set_up(self) -> bool:
        return all(self.client)

    def address(self, url: str) -> str:
        """Where an address of Microsoft's sign-in is in this world."""
        if not url.startswith(f"{LOGIN}/"):
            raise _broken("An address of another host.")
        return url.replace(LOGIN, f"{reach.sandbox('graph')}/login", 1) if self.sandbox else url


@dataclass(frozen=True, slots=True)
class Organisation:
    """Whose administrator has signed in. `domain` is for people."""

    tenant: str
    domain: str


class _Answer:
    """What msal wants of an answer."""

    def __init__(self, status: int, text: str, headers: Mapping[str, str]) -> None:
        self.status_code, self.text, self.headers = status, text, headers

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            raise ProviderError(ProviderKind.TEMPORARY, "The sign-in failed.", "server_error")


class Line:
    """The HTTP under msal: to our world's address, once, with an end; only JSON gets through, for
    msal writes what it cannot read into the log.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def get(self, url: str, **given: Any) -> _Answer:
        return self._send("GET", url, params=given.get("params"), headers=given.get("headers"))

    def post(self, url: str, **given: Any) -> _Answer:
        return self._send(
            "POST",
            url,
            params=given.get("params"),
            headers=given.get("headers"),
            data=given.get("data"),
        )

    def close(self) -> None:
        """Nothing is kept open."""

    def _send(self, method: str, url: str, **given: Any) -> _Answer:
        backend = Backend(None, loopback=self._world.sandbox)
        backend.ends_at = time.monotonic() + DEADLINE_S
        try:
            with (
                httpx.Client(transport=Transport(backend), trust_env=False) as client,
                client.stream(method, self._world.address(url), **given) as answer,
            ):
                text = _read(answer)
                return _Answer(answer.status_code, text, dict(answer.headers))
        except httpx.HTTPError as error:
            # A token that was asked for in vain changes nothing: it may be asked for again.
            raise ProviderError(
                ProviderKind.TEMPORARY, "Microsoft's sign-in cannot be reached.", "unreachable"
            ) from error


def _read(answer: httpx.Response) -> str:
    content = b""
    for chunk in answer.iter_bytes():
        content += chunk
        if len(content) > LONGEST_ANSWER:
            raise _broken("The answer has no end.")
    if answer.status_code == 429:
        wait = answer.headers.get("Retry-After", "")
        seconds = float(wait) if wait.isdigit() else None
        raise ProviderError(ProviderKind.TEMPORARY, "Too many sign-ins.", "slow_down", seconds)
    if answer.status_code >= 500:
        raise ProviderError(ProviderKind.TEMPORARY, "The sign-in failed.", "server_error")
    text = content.decode("utf-8", "replace")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _broken("The sign-in's answer cannot be read.")
    return text


def _broken(words: str) -> ProviderError:
    return ProviderError(ProviderKind.TEMPORARY, words, "broken_answer")


# --- tokens -------------------------------------------------------------------------------------

_applications: dict[tuple[str, str, tuple[str, str]], msal.ConfidentialClientApplication] = {}
_lock = threading.Lock()


def application(world: World, tenant: str) -> msal.ConfidentialClientApplication:
    """Ours at that organisation, with the tokens of this process. Raises ProviderError."""
    key = (tenant, world.address(f"{LOGIN}/"), world.client)
    with _lock:
        found = _applications.get(key)
    if found is not None:
        return found
    name, secret = world.client
    try:
        made = msal.ConfidentialClientApplication(
            name,
            client_credential=secret,
            authority=f"{LOGIN}/{tenant}",
            instance_discovery=False,
            http_client=Line(world),
            exclude_scopes=["offline_access"],
        )
    except (ValueError, KeyError) as error:
        raise _refused() from error
    with _lock:
        if len(_applications) >= MOST_APPLICATIONS:
            _applications.clear()
        return _applications.setdefault(key, made)


def forget(tenant: str) -> None:
    """Drop what is kept for that organisation: its tokens, and refusals that msal remembers."""
    with _lock:
        for key in [key for key in _applications if key[0] == tenant]:
            del _applications[key]


def token(world: World, tenant: str) -> str:
    """For Graph, in our application's own name. Raises ProviderError; `auth` when the organisation
    does not consent (any more).
    """
    try:
        found = application(world, tenant).acquire_token_for_client(scopes=[SCOPE])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        forget(tenant)
        raise _broken("The sign-in's answer cannot be read.") from error
    except ProviderError:
        forget(tenant)
        raise
    access = found.get("access_token")
    if isinstance(access, str) and access:
        return access
    forget(tenant)
    if found.get("error") in ("temporarily_unavailable", "server_error"):
        raise ProviderError(ProviderKind.TEMPORARY, "The sign-in failed.", "server_error")
    raise _refused()


def _refused() -> ProviderError:
    return ProviderError(ProviderKind.REJECTED, "The organisation does not consent.", "auth")


# --- connecting ---------------------------------------------------------------------------------


def consent_address(world: World, *, state: str, redirect_uri: str) -> str:
    """Where an administrator agrees for the whole organisation."""
    query = {
        "client_id": world.client[0],
        "scope": SCOPE,
        "redirect_uri": redirect_uri,
        "state": state,
    }
    place = f"{LOGIN}/{ANY_ORGANISATION}/v2.0/adminconsent"
    return f"{world.address(place)}?{urlencode(query)}"


def begin_sign_in(world: World, *, tenant: str, redirect_uri: str) -> dict[str, Any]:
    """msal's flow (PKCE, state and nonce in it), to be kept in the session until its answer comes;
    `auth_uri` is where to go. Raises AppError for what is no organisation, and ProviderError.
    """
    try:
        key = str(UUID(tenant))
    except ValueError as error:
        raise AppError("bad_tenant", "Microsoft did not say which organisation agreed.") from error
    forget(key)
    flow: dict[str, Any] = application(world, key).initiate_auth_code_flow(
        scopes=[], redirect_uri=redirect_uri
    )
    flow["auth_uri"] = world.address(str(flow.get("auth_uri", "")))
    return flow


def finish_sign_in(
    world: World, *, tenant: str, flow: dict[str, Any], answer: dict[str, str]
) -> Organisation:
    """The organisation that the person has signed in at, which must be `tenant`. msal checks state,
    nonce and PKCE; what the token says of itself is checked here. Raises AppError, ProviderError.
    """
    key = str(UUID(tenant))
    try:
        found = application(world, key).acquire_token_by_auth_code_flow(flow, answer)
    except (ValueError, RuntimeError, KeyError, TypeError) as error:
        raise _not_proven() from error
    claims = found.get("id_token_claims")
    if not isinstance(claims, dict) or not _is_for_us(claims, world, key):
        raise _not_proven()
    name = str(claims.get("preferred_username") or "")
    return Organisation(tenant=key, domain=name.rpartition("@")[2][:80])


def _is_for_us(claims: dict[str, Any], world: World, tenant: str) -> bool:
    """Issued to us, by that organisation, and still good. The token came straight from Microsoft
    over TLS, so that its signature needs no check (OpenID Connect Core 3.1.3.7).
    """
    expires = claims.get("exp")
    return (
        claims.get("aud") == world.client[0]
        and claims.get("tid") == tenant
        and urlsplit(str(claims.get("iss"))).path.strip("/").split("/")[0] == tenant
        and isinstance(expires, int | float)
        and expires + 300 > time.time()
    )


def _not_proven() -> AppError:
    return AppError(
        "not_proven", "The sign-in at Microsoft did not match the organisation. Connect again.", 409
    )
