"""Where Twilio asks what to say, says what it heard, and reports a machine. Answers are TwiML.

Whatever fails in here, the person on the line still hears who called and how to stop the calls.
"""

import logging
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from integrations.twilio import client, payloads
from recall.attempts import callbacks, carriers
from recall.attempts.hooks import about_attempt, is_signed
from recall.messages.inbound import practices_with
from recall.models import Attempt, Channel
from recall.voice import ringing_back, session

logger = logging.getLogger(__name__)

Spoken = Callable[[HttpRequest, Attempt], str]


def spoken(view: Spoken) -> Callable[[HttpRequest, Attempt], HttpResponse]:
    """A view that answers TwiML, also when it fails: the outermost handler of a call."""

    @wraps(view)
    def answered(request: HttpRequest, attempt: Attempt) -> HttpResponse:
        if attempt.channel != Channel.VOICE:
            raise Http404
        try:
            return _xml(view(request, attempt))
        except (callbacks.NotOursError, session.CallGoneError) as error:
            raise Http404 from error
        except payloads.PayloadError:
            return HttpResponse(status=400)
        except Exception:
            logger.exception("the call broke off", extra={"attempt": attempt.pk})
            heard = payloads.turn(request.POST)
            number = _number(request) or 0
            return _xml(session.broken(attempt=attempt, heard=heard, number=number))

    return answered


@about_attempt
@spoken
def start(request: HttpRequest, attempt: Attempt) -> str:
    """The call was answered: the first words."""
    return session.begin(attempt=attempt, sid=payloads.turn(request.POST).sid)


@about_attempt
@spoken
def turn(request: HttpRequest, attempt: Attempt) -> str:
    """Something was said, or pressed, or nothing was."""
    heard, number = payloads.turn(request.POST), _number(request)
    if number is None:
        raise payloads.PayloadError("n")
    if request.GET.get("broken"):
        return session.after_broken(attempt=attempt, heard=heard)
    return session.turn(attempt=attempt, number=number, heard=heard)


@about_attempt
def machine(request: HttpRequest, attempt: Attempt) -> HttpResponse:
    """What the carrier's machine detection thinks."""
    if attempt.channel != Channel.VOICE:
        raise Http404
    try:
        session.machine_heard(attempt=attempt, report=payloads.answered_by(request.POST))
    except (callbacks.NotOursError, session.CallGoneError) as error:
        raise Http404 from error
    except payloads.PayloadError:
        return HttpResponse(status=400)
    return HttpResponse(status=204)


@csrf_exempt
@require_POST
def inbound(request: HttpRequest) -> HttpResponse:
    """Somebody rings the number that calls come from."""
    practices = [
        practice
        for practice in practices_with(request.POST.get("To", ""))
        if is_signed(request, carriers.account_of(practice))
    ]
    if not practices:
        signed = is_signed(request, client.account_for(sandbox=not settings.LIVE))
        return HttpResponse(status=404 if signed else 403)
    try:
        call = payloads.inbound_call(request.POST)
    except payloads.PayloadError:
        return HttpResponse(status=400)
    action = f"{settings.PUBLIC_BASE_URL}{request.path}"
    return _xml(ringing_back.answer(practices=practices, call=call, action=action))


def _number(request: HttpRequest) -> int | None:
    text = request.GET.get("n", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else None


def _xml(text: str) -> HttpResponse:
    return HttpResponse(text, content_type="text/xml; charset=utf-8")
