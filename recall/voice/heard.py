"""One answer of a patient with everything that the rules look at. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache

from recall.voice import phrases, when
from recall.voice.conversation import CallFacts, Stage, State
from recall.voice.words import bare, plain


class Heard:
    """One answer with everything that the rules look at."""

    def __init__(
        self, said: str, asks: bool, state: State, facts: CallFacts, now: datetime
    ) -> None:
        self.name = bare(plain(facts.patient_first_name))
        self.said = _name_is(said, self.name)
        self.asks = asks
        self.state = state
        self.stage = state.stage
        self.guardian = facts.contact_is_guardian
        self.now = now
        asked_when = self.stage is Stage.CALL_BACK
        self.time = when.parse(_NOT_NOW.sub(" ", said), now, bare_hours=asked_when)

    def says(self, pattern: str) -> bool:
        return bool(_compiled(pattern, self.name).search(self.said))


@lru_cache(maxsize=2048)
def _compiled(pattern: str, name: str) -> re.Pattern[str]:
    return phrases.compiled(pattern, name)


_NOT_NOW = re.compile(r"\bnot (?:today|tonight|this (?:week|month|year|morning|afternoon))\b")


def _name_is(said: str, name: str) -> str:
    """ "Anna's at school": the recogniser's apostrophe is gone by now."""
    follows = r"(?= (?:not|out|at|in|away|asleep|on|busy|gone|moved|my|here|dead|passed|died)\b)"
    return re.sub(rf"\b{re.escape(name)}s{follows}", f"{name} is", said) if name else said
