"""Who may call our callback addresses: Twilio, about an attempt of that account. Nothing is read
from the body, and nothing written, before the signature fits.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from integrations.twilio import client, signature
from recall.attempts import carriers
from recall.models import Attempt
from sightsync.lib import ids

Hook = Callable[[HttpRequest, Attempt], HttpResponse]


def about_attempt(view: Hook) -> Callable[..., HttpResponse]:
    """A POST that Twilio signed about the attempt in the path.

    403 without a fitting signature. 404 for an attempt that does not exist, and for one of another
    account: a signature with one practice's account proves nothing about another's attempts.
    """

    @wraps(view)
    def guarded(request: HttpRequest, attempt_id: str, **kwargs: Any) -> HttpResponse:
        attempt = _attempt(attempt_id)
        account = (
            carriers.account_of(attempt.practice)
            if attempt is not None
            else client.account_for(sandbox=not settings.LIVE)
        )
        if not is_signed(request, account):
            return HttpResponseForbidden()
        if attempt is None or request.POST.get("AccountSid", account.sid) != account.sid:
            raise Http404
        return view(request, attempt, **kwargs)

    return csrf_exempt(require_POST(guarded))


def is_signed(request: HttpRequest, account: client.Account) -> bool:
    """Whether the account's owner sent this to exactly this public address."""
    return signature.verify(
        url=settings.PUBLIC_BASE_URL + request.get_full_path(),
        params=request.POST,
        signature=request.headers.get("X-Twilio-Signature"),
        token=account.token,
    )


def _attempt(public_id: str) -> Attempt | None:
    try:
        key = ids.decode(Attempt.PREFIX, public_id)
    except ids.BadId:
        return None
    return Attempt.objects.select_related("practice", "patient").filter(pk=key).first()
