"""Speaks Microsoft's sign-in: an administrator's consent, a sign-in, and tokens.

The pages play both the sign-in and the question; which organisation the browser belongs to is kept
in a cookie, as Microsoft's own is.
"""

import base64
import hashlib
import json
import secrets
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import web
from django.template.loader import render_to_string

from integrations.sandbox.graph import microsoft_of
from integrations.sandbox.graph_memory import READ, ROLES, Microsoft, Tenant
from integrations.sandbox.twilio_api import form_of
from integrations.sandbox.world import world_of

routes = web.RouteTableDef()
_LOGIN = "https://login.microsoftonline.com"
_HERE = "/graph/login/{tenant}"
_COOKIE = "sandbox_microsoft"
_ASKED = ("client_id", "redirect_uri", "state", "scope")
CALLBACK = "/settings/calendar-pms/microsoft/callback"
ANYBODY = "organizations"
TOKEN_SECONDS = 3599
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self'; base-uri 'none'"
)
"""No form-action: the answer to the form goes back to the product."""


@routes.get(_HERE + "/v2.0/.well-known/openid-configuration")
async def configuration(request: web.Request) -> web.Response:
    asked = request.match_info["tenant"]
    tenant = microsoft_of(world_of(request)).tenant(asked)
    if tenant is None and asked != ANYBODY:
        return _error(400, "invalid_tenant", f"AADSTS90002: Tenant '{asked}' not found.")
    place = tenant.id if tenant else asked
    return web.json_response(
        {
            "issuer": f"{_LOGIN}/{place if tenant else '{tenantid}'}/v2.0",
            "authorization_endpoint": f"{_LOGIN}/{place}/oauth2/v2.0/authorize",
            "token_endpoint": f"{_LOGIN}/{place}/oauth2/v2.0/token",
            "jwks_uri": f"{_LOGIN}/{place}/discovery/v2.0/keys",
            "response_types_supported": ["code", "id_token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
        }
    )


@routes.get(_HERE + "/v2.0/adminconsent")
async def ask(request: web.Request) -> web.Response:
    """The page that an administrator reads before agreeing."""
    asked = {name: request.query.get(name, "") for name in _ASKED}
    if not all(asked.values()):
        return _error(400, "invalid_request", "AADSTS900144: A parameter is missing.")
    if not _registered(asked["redirect_uri"]):
        return _error(400, "invalid_client", "AADSTS50011: The redirect URI is not registered.")
    tenants = microsoft_of(world_of(request)).tenants
    text = render_to_string(
        "sandbox/microsoft/consent.html", {"asked": asked, "tenants": tenants, "roles": ROLES}
    )
    return _page(text)


@routes.post(_HERE + "/v2.0/adminconsent")
async def agree(request: web.Request) -> web.Response:
    """`answer`: all, read (as an app registered without the permission to write), or no."""
    given = await form_of(request)
    microsoft = microsoft_of(world_of(request))
    tenant = microsoft.tenant(given.get("tenant", ""))
    if tenant is None or not _registered(given.get("redirect_uri", "")):
        return _error(400, "invalid_request", "AADSTS90002: Tenant or redirect URI not found.")
    back = {"state": given.get("state", "")}
    if given.get("answer") == "no":
        words = "AADSTS65004: User declined to consent to access the app."
        back |= {"error": "access_denied", "error_description": words}
    else:
        tenant.roles = frozenset(ROLES if given.get("answer") == "all" else {READ})
        back |= {"admin_consent": "True", "tenant": tenant.id, "scope": given.get("scope", "")}
    answer = _back(given.get("redirect_uri", ""), back)
    answer.set_cookie(_COOKIE, tenant.id, path="/graph/login", httponly=True)
    return answer


@routes.get(_HERE + "/oauth2/v2.0/authorize")
async def authorize(request: web.Request) -> web.Response:
    """Who signed in a moment ago is not asked again."""
    microsoft, query = microsoft_of(world_of(request)), request.query
    if not _registered(query.get("redirect_uri", "")):
        return _error(400, "invalid_client", "AADSTS50011: The redirect URI is not registered.")
    home = microsoft.tenant(request.cookies.get(_COOKIE, ""))
    place = microsoft.tenant(request.match_info["tenant"])
    if home is None or place not in (home, None):
        text = render_to_string("sandbox/microsoft/stranger.html", {"tenant": place})
        return _page(text, status=400)
    code = secrets.token_urlsafe(24)
    microsoft.codes[code] = {
        "tenant": home.id,
        "nonce": query.get("nonce", ""),
        "challenge": query.get("code_challenge", ""),
        "redirect_uri": query.get("redirect_uri", ""),
        "client_id": query.get("client_id", ""),
    }
    return _back(query.get("redirect_uri", ""), {"code": code, "state": query.get("state", "")})


@routes.post(_HERE + "/oauth2/v2.0/token")
async def token(request: web.Request) -> web.Response:
    microsoft, given = microsoft_of(world_of(request)), await form_of(request)
    tenant = microsoft.tenant(request.match_info["tenant"])
    client_id, secret = _client(request, given)
    if tenant is None:
        return _error(400, "invalid_tenant", "AADSTS90002: Tenant not found.")
    if secret.startswith("wrong") or not secret:
        return _error(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.")
    if given.get("grant_type") == "client_credentials":
        return _for_application(microsoft, tenant)
    return _for_person(microsoft, tenant, given, client_id)


def _for_application(microsoft: Microsoft, tenant: Tenant) -> web.Response:
    if not tenant.roles:
        words = f"AADSTS700016: Application was not found in the directory '{tenant.name}'."
        return _error(400, "unauthorized_client", words)
    body = {
        "token_type": "Bearer",
        "expires_in": TOKEN_SECONDS,
        "ext_expires_in": TOKEN_SECONDS,
        "access_token": microsoft.token(tenant),
    }
    return web.json_response(body)


def _for_person(
    microsoft: Microsoft, tenant: Tenant, given: dict[str, str], client_id: str
) -> web.Response:
    """A code is good once, for whoever asked for it and can prove it."""
    kept = microsoft.codes.pop(given.get("code", ""), None)
    verifier = given.get("code_verifier", "")
    digest = hashlib.sha256(verifier.encode()).digest()
    proof = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    right = kept is not None and (
        kept["tenant"] == tenant.id
        and kept["redirect_uri"] == given.get("redirect_uri")
        and kept["challenge"] == proof
        and kept["client_id"] == client_id
    )
    if kept is None or not right:
        return _error(400, "invalid_grant", "AADSTS70008: The code has expired or is not yours.")
    now = int(time.time())
    claims = {
        "aud": client_id,
        "iss": f"{_LOGIN}/{tenant.id}/v2.0",
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "tid": tenant.id,
        "oid": "11111111-2222-4333-8444-555555555555",
        "sub": "sandbox-administrator",
        "name": "Sandbox Administrator",
        "preferred_username": f"admin@{tenant.domain}",
        "nonce": kept["nonce"],
        "ver": "2.0",
    }
    body = {
        "token_type": "Bearer",
        "expires_in": TOKEN_SECONDS,
        "scope": "openid profile",
        "access_token": f"person.{secrets.token_urlsafe(16)}",
        "id_token": ".".join([_part({"alg": "RS256", "typ": "JWT"}), _part(claims), "c2FuZGJveA"]),
    }
    return web.json_response(body)


def _part(content: dict[str, Any]) -> str:
    text = json.dumps(content, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def _client(request: web.Request, given: dict[str, str]) -> tuple[str, str]:
    """The application's name and secret, from the form or from the header."""
    header = request.headers.get("Authorization", "")
    if header.startswith("Basic "):
        name, _, secret = base64.b64decode(header[6:]).decode().partition(":")
        return name, secret
    return given.get("client_id", ""), given.get("client_secret", "")


def _registered(address: str) -> bool:
    return urlsplit(address).path == CALLBACK


def _back(address: str, values: dict[str, str]) -> web.Response:
    return web.Response(status=302, headers={"Location": f"{address}?{urlencode(values)}"})


def _error(status: int, code: str, words: str) -> web.Response:
    body = {"error": code, "error_description": words, "error_codes": []}
    return web.json_response(body, status=status)


def _page(text: str, status: int = 200) -> web.Response:
    headers = {"Content-Security-Policy": PAGE_POLICY, "Cache-Control": "no-store"}
    return web.Response(text=text, status=status, content_type="text/html", headers=headers)
