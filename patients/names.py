"""Owns how people's names are tidied for keeping and compared for matching. Pure."""

import re
import unicodedata

_SPACES = re.compile(r"\s+")
_NO_LETTER = re.compile(r"[\W_]+")
_TITLES = {"mr", "mrs", "miss", "ms", "mx", "dr", "prof", "rev", "sir", "lady", "dame", "master"}


def tidy(text: str) -> str:
    """The text as it is kept: composed, without control and invisible characters, single spaces.

    Capitals are left alone: no rule knows how McDonald, van der Berg or O'NEILL want theirs.
    """
    if text.isascii() and text.isprintable():
        if "  " not in text:
            return text.strip()
        return _SPACES.sub(" ", text).strip()
    text = unicodedata.normalize("NFC", text)
    kept = (" " if ch.isspace() else ch for ch in text if ch.isspace() or ch.isprintable())
    return _SPACES.sub(" ", "".join(kept)).strip()


def key(text: str) -> str:
    """What two spellings of one name share: no case, accents, spaces, hyphens or apostrophes."""
    if text.isascii() and text.isalnum():
        return text.lower()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
    return _NO_LETTER.sub("", text.casefold())


def split(full: str) -> tuple[str, str, str]:
    """Title, first and last name of "Mrs Jane Smith" or "Smith, Jane". One word is a first name."""
    full = tidy(full)
    last, comma, first = full.partition(",")
    words = (first if comma else full).split()
    title = ""
    if words and words[0].rstrip(".").lower() in _TITLES:
        title = words.pop(0).rstrip(".")
    if comma:
        return title, " ".join(words), last.strip()
    if len(words) < 2:
        return title, " ".join(words), ""
    return title, " ".join(words[:-1]), words[-1]
