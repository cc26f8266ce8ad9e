"""Twilio's status callbacks. Every answer is empty: Twilio reads only its number."""

from django.http import Http404, HttpRequest, HttpResponse

from integrations.twilio import payloads
from recall.attempts import callbacks
from recall.attempts.hooks import about_attempt
from recall.models import Attempt, Channel


@about_attempt
def call_status(request: HttpRequest, attempt: Attempt) -> HttpResponse:
    """The call rings, is answered, has ended."""
    if attempt.channel != Channel.VOICE:
        raise Http404
    try:
        callbacks.call_status(attempt.pk, payloads.call_event(request.POST))
    except callbacks.NotOursError as error:
        raise Http404 from error
    except payloads.PayloadError:
        return HttpResponse(status=400)
    return HttpResponse(status=204)


@about_attempt
def message_status(request: HttpRequest, attempt: Attempt) -> HttpResponse:
    """The SMS or WhatsApp was sent, delivered, read, or came back."""
    if attempt.channel not in (Channel.SMS, Channel.WHATSAPP):
        raise Http404
    try:
        callbacks.message_status(attempt.pk, payloads.message_event(request.POST))
    except callbacks.NotOursError as error:
        raise Http404 from error
    except payloads.PayloadError:
        return HttpResponse(status=400)
    return HttpResponse(status=204)
