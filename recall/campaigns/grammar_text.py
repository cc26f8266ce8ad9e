"""A goal as words: each with its plain spelling for the patterns and its place in what was typed.

Pure.
"""

import re
import unicodedata
from dataclasses import dataclass

MAX_LETTERS = 500

_TOKEN = re.compile(
    r"\d{4}-\d{1,2}-\d{1,2}(?![\w-])"
    r"|\d{1,2}[/.]\d{1,2}[/.](?:\d{4}|\d{2})(?!\w)"
    r"|\d+[a-z]*"
    r"|[^\W\d_]+(?:['’][^\W\d_]+)*"
    r"|[^\w\s]|_"
)
_NUMBERS = (
    *("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    *("nineteen", "twenty"),
)
_TENS = {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80}
_PLAIN = {
    **{word: str(number) for number, word in enumerate(_NUMBERS, start=1)},
    **{word: str(number) for word, number in _TENS.items()},
    **{f"{word[:-1]}ies": f"{number}s" for word, number in _TENS.items()},
    "ninety": "90",
    "hundred": "100",
    "+": "plus",
    "&": "and",
    "them": "",
    "cannot": "can not",
    "yr": "year",
    "yrs": "years",
    "mth": "month",
    "mths": "months",
    "wk": "week",
    "wks": "weeks",
    "mo": "month",
    "mos": "months",
}
_CLIPPED = {"ve": "have", "d": "would", "re": "are", "s": "is"}
_SILENT = frozenset("-‐‑‒–—.!?:'\"‘’“”()•*")
"""Marks that say nothing here; between two numbers a dash says "to"."""
_DASHES = frozenset("-‐‑‒–—")
_STOPS = frozenset(".!?:")


@dataclass(frozen=True, slots=True)
class Word:
    """`start` and `end` are its place; the two words of a haven't have the same."""

    plain: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Text:
    """What was typed, and the plain spelling with the place of each of its letters."""

    typed: str
    plain: str
    words: tuple[Word, ...]
    offsets: tuple[int, ...]
    """Where each word begins in `plain`."""

    def exact(self, first: int, last: int) -> str:
        """What was typed from word `first` to word `last`, both included."""
        return self.typed[self.words[first].start : self.words[last].end]


def read(typed: str) -> Text:
    """The words of a goal."""
    composed = unicodedata.normalize("NFKC", typed)
    lowered = composed.lower()
    if len(lowered) != len(composed):  # a letter whose small form is longer: places would slip
        composed = lowered
    found = [_word(match) for match in _TOKEN.finditer(lowered)]
    words = [_in_place(found, index) for index in range(len(found))]
    kept = tuple(
        Word(plain, word.start, word.end) for word in words for plain in word.plain.split()
    )
    offsets, at = [], 0
    for word in kept:
        offsets.append(at)
        at += len(word.plain) + 1
    return Text(composed, " ".join(word.plain for word in kept), kept, tuple(offsets))


def _word(match: "re.Match[str]") -> Word:
    raw = match[0].replace("’", "'")
    plain = _PLAIN.get(raw, raw)
    if raw.endswith("n't"):
        plain = {"can't": "can not", "won't": "will not"}.get(raw, f"{raw[:-3]} not")
    elif clipped := re.fullmatch(r"(i|we|they|who|that|let)'(ve|d|re|s)", raw):
        plain = f"{clipped[1]} {_CLIPPED[clipped[2]]}" if clipped[1] != "let" else "lets"
    elif re.fullmatch(r"\d{1,2}[/.]\d{1,2}[/.]\d+", raw):
        plain = raw.replace(".", "/")
    return Word(plain, match.start(), match.end())


def _in_place(words: list[Word], index: int) -> Word:
    word = words[index]
    if word.plain not in _SILENT:
        return word
    minus = word.plain in _DASHES and _is_minus(words, index)
    if minus:
        return Word("minus", word.start, word.end)
    inner = 0 < index < len(words) - 1
    if word.plain in _DASHES and inner and _is_number(words[index - 1], words[index + 1]):
        return Word("to", word.start, word.end)
    # A full stop between sentences parts them like a comma.
    plain = "," if word.plain in _STOPS and inner else ""
    return Word(plain, word.start, word.end)


def _is_number(before: Word, after: Word) -> bool:
    return before.plain.isdigit() and after.plain.isdigit()


def _is_minus(words: list[Word], index: int) -> bool:
    """A dash that stands at a number and away from the word before it."""
    if index + 1 == len(words) or not words[index + 1].plain.isdigit():
        return False
    apart = index == 0 or words[index - 1].end < words[index].start
    return apart and words[index].end == words[index + 1].start
