"""The connecting that is under way: bound to this browser's session, this person, this practice.

First an administrator agrees, then the same browser signs in at that organisation, then the
organisation may be chosen from. Each step is used once and starts nothing out of its turn.
"""

import hmac
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from integrations import reach
from integrations.microsoft_bookings import oauth
from integrations.microsoft_bookings.oauth import Organisation, World
from practices.access import StaffRequest
from sightsync.lib import clock, crypto
from sightsync.lib.errors import AppError

KEY = "microsoft_consent"
LIFE = timedelta(minutes=20)
CALLBACK = "/settings/calendar-pms/microsoft/callback"


def world(request: StaffRequest) -> World:
    return World(reach.is_sandbox(request.practice))


def redirect_uri() -> str:
    return f"{settings.PUBLIC_BASE_URL}{CALLBACK}"


def begin(request: StaffRequest) -> str:
    """The address at which an administrator agrees."""
    state = crypto.random_token()
    _keep(request, {"step": "agree", "state": state})
    return oauth.consent_address(world(request), state=state, redirect_uri=redirect_uri())


def come_back(request: StaffRequest) -> str | None:
    """Take the answer that the browser brings: the address at which to sign in, or None when that
    is done and the organisation is proven. Raises AppError and ProviderError.
    """
    answer = request.GET.dict()
    kept = _take(request)
    if kept is None or not hmac.compare_digest(str(kept["state"]), answer.get("state", "")):
        raise _lost()
    if "error" in answer:
        raise AppError("denied", "The administrator did not agree.")
    if kept["step"] == "agree":
        return _sign_in(request, answer)
    organisation = oauth.finish_sign_in(
        world(request), tenant=str(kept["tenant"]), flow=kept["flow"], answer=answer
    )
    _keep(
        request,
        {"step": "choose", "tenant": organisation.tenant, "domain": organisation.domain},
    )
    return None


def _sign_in(request: StaffRequest, answer: dict[str, str]) -> str:
    if answer.get("admin_consent", "").lower() != "true":
        raise AppError("denied", "The administrator did not agree.")
    tenant = answer.get("tenant", "")
    flow = oauth.begin_sign_in(world(request), tenant=tenant, redirect_uri=redirect_uri())
    _keep(request, {"step": "sign_in", "state": flow["state"], "tenant": tenant, "flow": flow})
    return str(flow["auth_uri"])


def proven(request: StaffRequest) -> Organisation | None:
    """The organisation that may be chosen from now."""
    kept = _mine(request)
    if kept is None or kept.get("step") != "choose":
        return None
    return Organisation(tenant=str(kept["tenant"]), domain=str(kept["domain"]))


def finished(request: StaffRequest) -> None:
    request.session.pop(KEY, None)


def _keep(request: StaffRequest, values: dict[str, Any]) -> None:
    request.session[KEY] = {
        **values,
        "user": str(request.user.pk),
        "practice": str(request.practice.pk),
        "until": (clock.now() + LIFE).isoformat(),
    }


def _take(request: StaffRequest) -> dict[str, Any] | None:
    """What is kept of a step that waits for an answer, once."""
    kept = _mine(request)
    if kept is None or "state" not in kept:
        return None
    del request.session[KEY]
    return kept


def _mine(request: StaffRequest) -> dict[str, Any] | None:
    kept: dict[str, Any] | None = request.session.get(KEY)
    if kept is None:
        return None
    mine = kept["user"] == str(request.user.pk) and kept["practice"] == str(request.practice.pk)
    in_time = clock.now() <= datetime.fromisoformat(kept["until"])
    return kept if mine and in_time else None


def _lost() -> AppError:
    return AppError("lost", "That was not started here, or took too long.", 409)
