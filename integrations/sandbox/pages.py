"""A web page as a patient's browser sees it: headings, links and forms. Pure."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID_TEXT = frozenset({"script", "style", "template", "noscript"})


@dataclass
class Control:
    """One input, select or button of a form. `label` is the text beside or on it."""

    kind: str
    name: str
    value: str
    label: str = ""
    checked: bool = False
    required: bool = False
    options: list[str] = field(default_factory=list)


@dataclass
class Form:
    action: str
    method: str
    controls: list[Control] = field(default_factory=list)
    text: str = ""

    @property
    def buttons(self) -> list[Control]:
        return [control for control in self.controls if control.kind == "submit"]


@dataclass
class Link:
    href: str
    text: str = ""


@dataclass
class Page:
    url: str
    headings: list[str] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    forms: list[Form] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page(url)
        self.form: Form | None = None
        self.link: Link | None = None
        self.button: Control | None = None
        self.select: Control | None = None
        self.heading = ""
        self.in_heading = False
        self.skipping = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in VOID_TEXT:
            self.skipping = tag
        elif tag in ("h1", "h2"):
            self.in_heading, self.heading = True, ""
        elif tag == "a" and "href" in given:
            self.link = Link(given["href"])
        elif tag == "form":
            self.form = Form(given.get("action", ""), given.get("method", "get").lower())
        elif tag in ("input", "button", "select", "textarea", "option"):
            self._control(tag, given)

    def _control(self, tag: str, given: dict[str, str]) -> None:
        if tag == "option" and self.select is not None:
            self.select.options.append(given.get("value", ""))
            return
        if self.form is None or "disabled" in given or tag == "option":
            return
        default = {"button": "submit", "input": "text"}.get(tag, tag)
        control = Control(
            kind=given.get("type", default).lower() if tag in ("input", "button") else tag,
            name=given.get("name", ""),
            value=given.get("value", "on" if given.get("type") in ("radio", "checkbox") else ""),
            label=given.get("value", "") if given.get("type") == "submit" else "",
            checked="checked" in given,
            required="required" in given,
        )
        self.form.controls.append(control)
        if tag == "button":
            self.button = control
        elif tag == "select":
            self.select = control

    def handle_endtag(self, tag: str) -> None:
        if tag == self.skipping:
            self.skipping = ""
        elif tag in ("h1", "h2") and self.in_heading:
            self.page.headings.append(" ".join(self.heading.split()))
            self.in_heading = False
        elif tag == "a" and self.link:
            self.page.links.append(self.link)
            self.link = None
        elif tag == "form" and self.form:
            self.page.forms.append(self.form)
            self.form = None
        elif tag == "button":
            self.button = None
        elif tag == "select":
            self.select = None

    def handle_data(self, data: str) -> None:
        if self.skipping:
            return
        if self.in_heading:
            self.heading += data
        if self.link:
            self.link.text += data
        if self.button:
            self.button.label += data
        if self.form:
            self.form.text += data


def read(url: str, html: str) -> Page:
    reader = _Reader(url)
    reader.feed(html)
    reader.close()
    return reader.page
