"""Speaks Google's OAuth: a person picks an account and permits, the app swaps codes for tokens."""

import secrets
from typing import Any
from urllib.parse import urlencode, urlsplit

from aiohttp import web
from django.template.loader import render_to_string

from integrations.sandbox.google_memory import (
    CODE_LIFE,
    SCOPE,
    TOKEN_LIFE,
    Code,
    Google,
    Grant,
    google_of,
)
from sightsync.lib import clock

routes = web.RouteTableDef()
AUTH = "/google/o/oauth2/v2/auth"
CLIENT = ("sandbox-google-client", "sandbox-google-secret")
CALLBACK = "/settings/integrations/google/callback"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "testserver"})
SCOPE_WORDS = {
    "calendar": "See, edit, share and permanently delete all the calendars you can access",
    "calendar.events": "View and edit events on all your calendars",
    "calendar.calendarlist.readonly": "See the list of Google calendars you’re subscribed to",
    "calendar.freebusy": "View your availability in your calendars",
}
ASKED = (
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "access_type",
    "prompt",
    "login_hint",
)


@routes.get(AUTH)
async def choose(request: web.Request) -> web.Response:
    """First the list of accounts, then, with one chosen, what is asked for."""
    asked = {name: request.query[name] for name in ASKED if name in request.query}
    if problem := _problem(asked):
        return _page("problem", asked, {"problem": problem}, status=400)
    google = google_of(request)
    account = google.accounts.get(request.query.get("authuser", ""))
    if account is None:
        links = [
            {"account": each, "href": f"{AUTH}?{urlencode({**asked, 'authuser': each.email})}"}
            for each in google.accounts.values()
        ]
        return _page("accounts", asked, {"links": links})
    scopes = [
        {"name": scope, "words": SCOPE_WORDS.get(scope.removeprefix(SCOPE), scope)}
        for scope in asked["scope"].split()
    ]
    again = f"{AUTH}?{urlencode(asked)}"
    return _page("consent", asked, {"account": account, "scopes": scopes, "again": again})


@routes.post(AUTH)
async def decide(request: web.Request) -> web.Response:
    """The person has pressed a button: back to the app, with a code or with `access_denied`."""
    form = await request.post()
    asked = {name: str(form[name]) for name in ASKED if name in form}
    google = google_of(request)
    account = google.accounts.get(str(form.get("authuser", "")))
    if account is None or (problem := _problem(asked)):
        return _page("problem", asked, {"problem": problem if account else "400"}, status=400)
    if form.get("answer") != "allow":
        return _back(asked, {"error": "access_denied"})
    scopes = frozenset(str(scope) for scope in form.getall("granted", []))
    code = f"4/0{secrets.token_urlsafe(32)}"
    google.codes[code] = Code(
        account=account.email,
        client_id=asked["client_id"],
        redirect_uri=asked["redirect_uri"],
        challenge=asked["code_challenge"],
        scopes=scopes & frozenset(asked["scope"].split()),
        until=clock.real_now() + CODE_LIFE,
    )
    return _back(asked, {"code": code, "scope": " ".join(sorted(google.codes[code].scopes))})


@routes.post("/google/token")
async def token(request: web.Request) -> web.Response:
    form = await request.post()
    given = {name: str(value) for name, value in form.items()}
    if (given.get("client_id"), given.get("client_secret")) != CLIENT:
        return _refused("invalid_client", "The OAuth client was not found.", status=401)
    google = google_of(request)
    if given.get("grant_type") == "authorization_code":
        return _first_tokens(google, given)
    if given.get("grant_type") == "refresh_token":
        grant = google.grant_of_refresh(given.get("refresh_token", ""))
        if grant is None or grant.revoked:
            return _refused("invalid_grant", "Token has been expired or revoked.")
        return web.json_response(_tokens(grant))
    return _refused("unsupported_grant_type", "Invalid grant_type.")


@routes.post("/google/revoke")
async def revoke(request: web.Request) -> web.Response:
    google, value = google_of(request), str((await request.post()).get("token", ""))
    grant = google.grant_of_refresh(value) or google.grant_of_access(value)
    if grant is None or grant.revoked:
        return _refused("invalid_token", "Token expired or revoked")
    google.revoke(grant)
    return web.json_response({})


def _first_tokens(google: Google, given: dict[str, str]) -> web.Response:
    code = google.codes.pop(given.get("code", ""), None)
    if code is None or code.until < clock.real_now() or code.client_id != given["client_id"]:
        return _refused("invalid_grant", "Malformed auth code.")
    if code.redirect_uri != given.get("redirect_uri"):
        return _refused("redirect_uri_mismatch", "Bad Request")
    if not code.fits(given.get("code_verifier", "")):
        return _refused("invalid_grant", "Invalid code verifier.")
    grant = Grant(
        account=google.accounts[code.account],
        client_id=code.client_id,
        scopes=code.scopes,
        refresh_token=f"1//0{secrets.token_urlsafe(48)}",
    )
    google.grants.append(grant)
    return web.json_response({**_tokens(grant), "refresh_token": grant.refresh_token})


def _tokens(grant: Grant) -> dict[str, Any]:
    return {
        "access_token": grant.new_access(),
        "expires_in": int(TOKEN_LIFE.total_seconds()),
        "scope": " ".join(sorted(grant.scopes)),
        "token_type": "Bearer",
    }


def _refused(error: str, words: str, *, status: int = 400) -> web.Response:
    return web.json_response({"error": error, "error_description": words}, status=status)


def _problem(asked: dict[str, str]) -> str:
    """Why Google would not even ask the person, or nothing."""
    target = urlsplit(asked.get("redirect_uri", ""))
    if asked.get("client_id") != CLIENT[0]:
        return "Error 401: invalid_client"
    if target.hostname not in LOOPBACK or target.path != CALLBACK or target.query:
        return "Error 400: redirect_uri_mismatch"
    wanted = {"response_type": "code", "code_challenge_method": "S256", "access_type": "offline"}
    wrong = [name for name, value in wanted.items() if asked.get(name) != value]
    missing = [name for name in ("scope", "code_challenge") if not asked.get(name)]
    return f"Error 400: invalid_request ({', '.join(wrong + missing)})" if wrong + missing else ""


def _back(asked: dict[str, str], more: dict[str, str]) -> web.Response:
    query = urlencode({"state": asked.get("state", ""), **more})
    return web.Response(status=302, headers={"Location": f"{asked['redirect_uri']}?{query}"})


def _page(
    name: str, asked: dict[str, str], context: dict[str, Any], *, status: int = 200
) -> web.Response:
    target = urlsplit(asked.get("redirect_uri", ""))
    home = f"{target.scheme}://{target.netloc}" if target.hostname in LOOPBACK else ""
    policy = (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self';"
        f" form-action 'self' {home}; base-uri 'none'; frame-ancestors 'none'"
    )
    text = render_to_string(f"sandbox/google/{name}.html", {"asked": asked, **context})
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
    return web.Response(text=text, content_type="text/html", status=status, headers=headers)
