"""Where Twilio brings what patients write. Nothing is read or written before the signature fits."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseForbidden
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from integrations import reach
from integrations.twilio import client, payloads
from recall.attempts import hooks
from recall.messages import inbound

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


def _is_signed(request: HttpRequest, *, sandbox: bool) -> bool:
    """By the sandbox's account or the live one, for a message to that very account."""
    account = client.account_for(sandbox=sandbox or not settings.LIVE)
    is_ours = request.POST.get("AccountSid", account.sid) == account.sid
    return is_ours and hooks.is_signed(request, account)
