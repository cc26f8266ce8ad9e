"""Speech as the recogniser writes it, made plain: lower case, contractions written out.

Pure. Commas stay, because a pause separates what is denied from what is said.
"""

from __future__ import annotations

import re

_NOT = {
    "cant": "cannot", "can't": "cannot", "can not": "cannot", "wont": "will not",
    "won't": "will not", "shan't": "will not", "dont": "do not", "doesnt": "does not",
    "didnt": "did not", "isnt": "is not", "arent": "are not", "wasnt": "was not",
    "werent": "were not", "havent": "have not", "hasnt": "has not", "hadnt": "had not",
    "wouldnt": "would not", "couldnt": "could not", "shouldnt": "should not", "ain't": "is not",
    "aint": "is not", "innit": "is it not", "im": "i am", "ive": "i have", "id": "i would",
    "shes": "she is", "hes": "he is", "thats": "that is", "theres": "there is", "whos": "who is",
    "whats": "what is", "youve": "you have", "youre": "you are", "theyre": "they are",
    "gonna": "going to", "wanna": "want to", "gimme": "give me", "lemme": "let me",
    "o'clock": "oclock", "o clock": "oclock", "ta": "thank you", "cheers": "thank you",
    "thanks": "thank you", "nah": "no", "nope": "no", "naw": "no", "yep": "yes", "yup": "yes",
    "yeah": "yes", "yea": "yes", "yah": "yes", "aye": "yes", "okay": "ok", "mon": "monday",
    "tues": "tuesday", "tue": "tuesday", "weds": "wednesday", "wed": "wednesday",
    "thurs": "thursday", "thur": "thursday", "fri": "friday", "phoning me": "calling me",
    "telephone me": "phone me",
}  # fmt: skip
_WORDS = re.compile(rf"\b(?:{'|'.join(sorted(map(re.escape, _NOT), key=len, reverse=True))})\b")
_IS = re.compile(
    r"\b(he|she|it|that|there|who|what|where|when|how|here|mum|dad|name|everything|someone|"
    r"phone|battery|mobile|vision|sight|eye|eyesight|eyelid|line)'s\b"
)


def plain(speech: str) -> str:
    """The words to match against. Apostrophes and odd signs are gone; `,;.!?:` may remain."""
    text = speech.lower().replace("’", "'").replace("`", "'").replace("–", " ").replace("-", " ")
    text = _IS.sub(r"\1 is", text)
    text = _WORDS.sub(lambda match: _NOT[match[0]], text)
    for ending, words in (("n't", " not"), ("'m", " am"), ("'re", " are"), ("'ll", " will"),
                          ("'ve", " have"), ("'d", " would")):  # fmt: skip
        text = re.sub(rf"{ending}\b", words, text)
    text = text.replace("'s", "s").replace("'", "")
    text = re.sub(r"\b([ap])\.\s?m\.?", r"\1m", text)
    text = re.sub(r"[^a-z0-9,;.!?:\s]", " ", text)
    return " ".join(text.split())


def bare(text: str) -> str:
    """Plain words without punctuation, but for the points and colons inside times."""
    return " ".join(re.sub(r"[,;!?]|[.:](?!\d)", " ", text).split())
