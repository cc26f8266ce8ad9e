"""Steps of the dialogue as TwiML, with Twilio's own builder. No other module knows its verbs.

https://www.twilio.com/docs/voice/twiml/gather: without `actionOnEmptyResult` silence falls through
to the next verb, so every Gather is followed by a Redirect or a Hangup all the same.
"""

from __future__ import annotations

from twilio.twiml.voice_response import Gather, VoiceResponse

from recall.voice import script
from recall.voice.conversation import CallFacts, Listen, Step

VOICE = "Polly.Amy-Neural"
LANGUAGE = "en-GB"
SPEECH_MODEL = "phone_call"


def render(step: Step, action: str) -> str:
    """What to say, then listen and post the answer to `action`, or hang up."""
    response = VoiceResponse()
    if step.listen is not None and not step.hang_up:
        gather = _gather(action, step.listen)
        _say(gather, step.say)
        response.append(gather)
        response.redirect(action, method="POST")
    else:
        _say(response, step.say)
        response.hangup()
    return str(response)


def voicemail(facts: CallFacts) -> str:
    return closing(script.voicemail(facts))


def failure(facts: CallFacts, action: str) -> str:
    """Who called and how to stop the calls; the only answer taken is a key."""
    return _one_key(script.failure(facts), action)


def inbound(facts: CallFacts, action: str) -> str:
    """For a person who rings our number back."""
    return _one_key(script.inbound(facts), action)


def closing(words: tuple[str, ...]) -> str:
    """The last words of a call."""
    response = VoiceResponse()
    _say(response, words)
    response.hangup()
    return str(response)


def _one_key(words: tuple[str, ...], action: str) -> str:
    response = VoiceResponse()
    gather = Gather(input="dtmf", action=action, method="POST", num_digits=1, timeout=5)
    _say(gather, words)
    response.append(gather)
    response.hangup()
    return str(response)


def _gather(action: str, listen: Listen) -> Gather:
    return Gather(
        input="speech dtmf",
        action=action,
        method="POST",
        action_on_empty_result=True,
        barge_in=True,
        language=LANGUAGE,
        hints=", ".join(listen.hints),
        num_digits=1,
        speech_model=SPEECH_MODEL,
        enhanced=True,
        speech_timeout="auto",
        timeout=listen.seconds,
    )


def _say(verb: VoiceResponse | Gather, words: tuple[str, ...]) -> None:
    if words:
        verb.say(" ".join(words), voice=VOICE, language=LANGUAGE)
