"""What a text message costs: its characters in GSM 03.38 septets, its segments. Pure.

One character outside the GSM alphabet turns a whole message into UCS-2 with 70 characters a
segment, so our texts are written in it and what people are called is brought into it.
3GPP TS 23.038 section 6.2.1, TS 23.040 section 9.2.3.24.1 (concatenation).
"""

import unicodedata

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("\f^{}\\[~]|€")  # each takes two septets

ALONE, JOINED = 160, 153
UCS2_ALONE, UCS2_JOINED = 70, 67

_WRITTEN_OTHERWISE = str.maketrans(
    {
        "‘": "'", "’": "'", "ʼ": "'", "`": "'", "´": "'",
        "“": '"', "”": '"', "„": '"',
        "–": "-", "—": "-", "‐": "-", "‑": "-",
        "…": "...", "\u00a0": " ", "\t": " ",
        "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ı": "i", "œ": "oe", "Œ": "OE", "þ": "th", "ð": "d",
    }
)  # fmt: skip


def is_gsm7(text: str) -> bool:
    """Whether every character is in the GSM alphabet or its extension."""
    return all(character in BASIC or character in EXTENDED for character in text)


def septets(text: str) -> int:
    """The length of a GSM text; the caller has made sure that it is one."""
    return len(text) + sum(character in EXTENDED for character in text)


def segments(text: str) -> int:
    """How many messages the network counts."""
    if is_gsm7(text):
        # An extended character is never torn in two, which can cost a septet at each joint.
        length, alone, joined = septets(text), ALONE, JOINED
        if length > alone and any(character in EXTENDED for character in text):
            return _segments_with_pairs(text)
    else:
        length = len(text.encode("utf-16-be")) // 2
        alone, joined = UCS2_ALONE, UCS2_JOINED
    return 1 if length <= alone else -(-length // joined)


def _segments_with_pairs(text: str) -> int:
    count, used = 1, 0
    for character in text:
        width = 1 + (character in EXTENDED)
        if used + width > JOINED:
            count, used = count + 1, 0
        used += width
    return count


def to_gsm7(text: str) -> str:
    """The text in the GSM alphabet: accents it lacks are dropped (Zoë becomes Zoe), quotes and
    dashes become plain, and what has no likeness is left out.
    """
    return "".join(_likeness(character) for character in text.translate(_WRITTEN_OTHERWISE))


def _likeness(character: str) -> str:
    if character in BASIC or character in EXTENDED:
        return character
    plain = "".join(
        part for part in unicodedata.normalize("NFKD", character) if not unicodedata.combining(part)
    )
    return plain if plain and is_gsm7(plain) else ""


def shortened(text: str, width: int) -> str:
    """At most `width` septets of a name, cut between words where that leaves enough of it."""
    if septets(text) <= width:
        return text
    cut = text
    while septets(cut) > width:
        cut = cut[:-1]
    words = cut.rsplit(" ", 1)[0]
    return (words if len(words) >= width // 2 else cut).rstrip(" ,.-&(")
