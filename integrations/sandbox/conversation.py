"""A patient on the line: hears what was said since their last turn, and answers.

Pure; knows only what was spoken, as a real patient would.
"""

from collections import Counter
from dataclasses import replace

from integrations.sandbox.personas import COMMON, CUES, SILENCE, Cue, Line, Persona, Reply

PATIENCE = 2
"""How often the same question is answered by voice before the keypad is tried."""


def cue_in(heard: str) -> Cue:
    """The question in what was heard: the agreed phrase that comes last."""
    found = [(match.start(), cue) for cue, pattern in CUES for match in pattern.finditer(heard)]
    return max(found)[1] if found else "other"


class Patient:
    """One patient during one call."""

    def __init__(self, persona: Persona) -> None:
        self.persona = persona
        self._used: Counter[int] = Counter()
        self._asked: Counter[Cue] = Counter()
        self._last_cue: Cue | None = None

    def reply(self, heard: str, *, takes_speech: bool = True, takes_keys: bool = True) -> Reply:
        """The patient's turn. A way of answering that the question does not take is not used."""
        cue = cue_in(heard)
        self._asked[cue] = self._asked[cue] + 1 if cue == self._last_cue else 1
        self._last_cue = cue
        reply = self._choose(cue)
        impatient = self._asked[cue] > PATIENCE or reply.keypad_first or not takes_speech
        if reply.keys and takes_keys and (impatient or not reply.say):
            return replace(reply, say="")
        if reply.say and takes_speech:
            return replace(reply, keys="")
        return reply if reply.hang_up else SILENCE

    def _choose(self, cue: Cue) -> Reply:
        own, exact = self.persona.lines, cue
        for lines, wanted in (
            (own, "always"),
            (own, exact),
            (COMMON, exact) if exact != "other" else (own, "other"),
            (COMMON, "other"),
        ):
            if (line := self._first_unused(lines, wanted)) is not None:
                self._used[id(line)] += 1
                return line.reply
        return SILENCE

    def _first_unused(self, lines: tuple[Line, ...], cue: str) -> Line | None:
        for line in lines:
            if line.cue == cue and (line.times is None or self._used[id(line)] < line.times):
                return line
        return None
