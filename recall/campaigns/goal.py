"""A goal in plain English, compiled to a choice: by the grammar, and where that falls short and a
language model is configured, by the model.

It compiles, and does nothing else: no goal starts, writes or sends anything.
"""

from django.conf import settings

from recall.campaigns import grammar
from recall.campaigns.choice import Choice
from recall.campaigns.grammar import Reading
from sightsync.lib import clock
from sightsync.lib.errors import AppError


def read(typed: str, *, limit: int | None = None) -> Reading:
    """The goal's reading. At most `limit` patients, or fewer when the goal says so."""
    by_grammar = grammar.compile_goal(typed, today=clock.today(), limit=limit)
    if not settings.LLM_MODEL:
        return by_grammar
    # The libraries of language models take seconds to load: nobody waits for them without a model.
    from recall.campaigns import goal_model

    return goal_model.improve(by_grammar, typed)


def choice_of(typed: str, *, limit: int) -> tuple[Choice, Reading]:
    """Raises AppError 422 `goal_not_understood` with `understood` and `not_understood`."""
    reading = read(typed, limit=limit)
    if reading.choice is None:
        raise AppError(
            "goal_not_understood",
            refusal(reading),
            422,
            understood=[f"{what}: {value}" for what, value in reading.understood],
            not_understood=list(reading.not_understood),
        )
    return reading.choice, reading


def refusal(reading: Reading) -> str:
    """Not understood: "rude". In a sentence, with the exact words."""
    words = ", ".join(f"“{words}”" for words in reading.not_understood)
    said = f"Not understood: {words}." if words else ""
    return " ".join(filter(None, (said, reading.problem)))
