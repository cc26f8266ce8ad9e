"""TwiML read into verbs. It must not act on them; `twilio_line.py` does."""

from dataclasses import dataclass, field
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring


class TwimlError(ValueError):
    """The document is not TwiML. The caller of the phone hears "an application error"."""


@dataclass(frozen=True)
class Verb:
    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    text: str = ""
    children: tuple["Verb", ...] = ()

    def seconds(self, name: str, default: float) -> float:
        try:
            return float(self.attributes.get(name, default))
        except ValueError:
            return default


def parse(document: str) -> tuple[Verb, ...]:
    """The verbs inside <Response>."""
    try:
        root = fromstring(document.strip())
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise TwimlError(str(error)) from error
    if root.tag != "Response":
        raise TwimlError(root.tag)
    return tuple(_verb(child) for child in root)


def _verb(element: Element) -> Verb:
    return Verb(
        name=element.tag,
        attributes=dict(element.attrib),
        text=" ".join("".join(element.itertext()).split()),
        children=tuple(_verb(child) for child in element),
    )
