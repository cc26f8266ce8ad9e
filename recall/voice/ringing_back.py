"""Somebody rings the number that our calls come from: who we are, the practice's number, and 9 to
be left alone. We do not know who holds the phone, so nothing is said of any patient.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from integrations.twilio import payloads
from practices.journal import Actor
from practices.models import Practice
from recall import contact_stop
from recall.models import Attempt, Channel
from recall.voice import call_facts, script, twiml

CALLER = Actor.system("call")
OPT_OUT_KEY = "9"
_NUMBER = re.compile(r"\+[1-9]\d{6,14}")


def answer(*, practices: Sequence[Practice], call: payloads.InboundCall, action: str) -> str:
    """What the caller hears, as TwiML. `practices` are those with the number, at least one."""
    facts = call_facts.of_practice(_whose_call(practices, call.from_))
    if not call.digits:
        return twiml.inbound(facts, action)
    if OPT_OUT_KEY not in call.digits or not _NUMBER.fullmatch(call.from_):
        # A withheld number cannot be kept: the practice has to hear who it is.
        return twiml.closing(script.name_and_number(facts))
    for practice in practices:
        contact_stop.opt_out(practice=practice, phone=call.from_, source="phone_call", actor=CALLER)
    return twiml.closing(script.opted_out(facts))


def _whose_call(practices: Sequence[Practice], number: str) -> Practice:
    """Practices on a small plan may share a number: the one that rang this person last."""
    last = (
        Attempt.objects.filter(practice__in=practices, channel=Channel.VOICE, destination=number)
        .order_by("-created_at")
        .values_list("practice_id", flat=True)
        .first()
    )
    return next((practice for practice in practices if practice.pk == last), practices[0])
