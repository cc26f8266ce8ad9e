"""Where Twilio brings what patients write. Nothing is read or written before the signature fits."""

from django.conf import settings
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseForbidden,
)
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from integrations import reach
from integrations.twilio import client, payloads
from recall.attempts import carriers, hooks
from recall.messages import inbound, trial
from recall.models import TestMessage
from sightsync.lib import ids

NO_REPLY = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'


@csrf_exempt
@require_POST
def inbound_message(request: HttpRequest) -> HttpResponse:
    """Always the same empty answer: the carrier itself answers STOP, and a repeat is no error."""
    signed_by = [sandbox for sandbox in (True, False) if _is_signed(request, sandbox=sandbox)]
    if not signed_by:
        return HttpResponseForbidden()
    try:
        message = payloads.inbound_message(request.POST)
    except payloads.PayloadError:
        return HttpResponseBadRequest()
    practices = [
        practice
        for practice in inbound.practices_with(message.to)
        if reach.is_sandbox(practice) in signed_by
    ]
    if practices:
        inbound.receive(message=message, practices=practices)
    return HttpResponse(NO_REPLY, content_type="text/xml")


@csrf_exempt
@require_POST
def test_status(request: HttpRequest, test_id: str) -> HttpResponse:
    """What became of a message that staff sent to themselves."""
    row = _test_message(test_id)
    account = (
        carriers.account_of(row.practice)
        if row is not None
        else client.account_for(sandbox=not settings.LIVE)
    )
    if not hooks.is_signed(request, account):
        return HttpResponseForbidden()
    if row is None or request.POST.get("AccountSid", account.sid) != account.sid:
        raise Http404
    try:
        heard = trial.hear(row.pk, payloads.message_event(request.POST))
    except payloads.PayloadError:
        return HttpResponseBadRequest()
    if not heard:
        raise Http404
    return HttpResponse(status=204)


def _test_message(public_id: str) -> TestMessage | None:
    try:
        key = ids.decode(TestMessage.PREFIX, public_id)
    except ids.BadId:
        return None
    return TestMessage.objects.select_related("practice").filter(pk=key).first()


def _is_signed(request: HttpRequest, *, sandbox: bool) -> bool:
    """By the sandbox's account or the live one, for a message to that very account."""
    account = client.account_for(sandbox=sandbox or not settings.LIVE)
    is_ours = request.POST.get("AccountSid", account.sid) == account.sid
    return is_ours and hooks.is_signed(request, account)
