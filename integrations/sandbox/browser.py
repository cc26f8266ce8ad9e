"""A patient at a web page: opens the booking link and follows its forms until it says booked.

It knows nothing of our routes beyond where a link leads; it reads headings, forms and buttons.
"""

import logging
import re
from urllib.parse import parse_qsl, urljoin, urlsplit

from aiohttp import ClientError, ClientSession, ClientTimeout, CookieJar

from integrations.sandbox import pages
from integrations.sandbox.pages import Control, Form, Page
from integrations.sandbox.people import Entry, Person
from integrations.sandbox.world import World, origin

logger = logging.getLogger(__name__)
MOST_STEPS = 14
READING_S = 10.0
BOOKED = re.compile(r"\bbooked\b|see you", re.I)
NOT_BOOKED = re.compile(r"not booked|already|no longer|fully booked", re.I)
LEADS_AWAY = re.compile(r"\b(stop|opt|unsubscribe|cancel|move|change|back|remove|no)\b", re.I)
DAY_OR_TIME = re.compile(
    r"\b(mon|tues|wednes|thurs|fri|satur|sun)day\b|\b\d{1,2}([:.]\d\d)?\s?[ap]m\b|\b\d\d:\d\d\b",
    re.I,
)
BOOKING_PATH = re.compile(r"/b/[^/]+/?$")

Step = tuple[str, str, tuple[tuple[str, str], ...]]


def booking_link(world: World, links: list[str]) -> str:
    """The link to our booking page among the links of a message, or nothing."""
    for link in links:
        link = link.rstrip(".,;")
        if world.is_ours(link) and BOOKING_PATH.search(urlsplit(link).path):
            return link
    return ""


async def book_from(world: World, person: Person, links: list[str]) -> None:
    """Open the booking link, if there is one, and book. What happened is noted on the phone."""
    link = booking_link(world, links)
    if not link:
        return
    person.has_booked = True
    _note(world, person, "Opens the booking link.")
    async with ClientSession(cookie_jar=CookieJar(unsafe=True), trust_env=False) as session:
        try:
            outcome = await Visit(world, session).book(link)
        except (ClientError, TimeoutError, UnicodeDecodeError) as error:
            logger.warning("booking page not reached: %s", type(error).__name__)
            outcome = "The booking page did not open."
    _note(world, person, outcome)


class Visit:
    """One visit to the booking page."""

    def __init__(self, world: World, session: ClientSession) -> None:
        self.world, self.session = world, session
        self.done: set[Step] = set()

    async def book(self, link: str) -> str:
        page = await self._open("get", link, ())
        for _ in range(MOST_STEPS):
            if headline := self._booked(page):
                return headline
            await self.world.spend(READING_S)
            step = self._next_step(page)
            if step is None:
                break
            self.done.add(step)
            page = await self._open(*step, referrer=page.url)
        heading = page.headings[0] if page.headings else "a page without a heading"
        return f"Could not book. The page says: {heading}"

    async def _open(
        self, method: str, url: str, fields: tuple[tuple[str, str], ...], referrer: str = ""
    ) -> Page:
        headers = {"Referer": referrer, "Origin": origin(url)} if referrer else {}
        sent = {"data": fields} if method == "post" else {"params": fields} if fields else {}
        async with self.session.request(
            method,
            url,
            headers=headers,
            timeout=ClientTimeout(total=15),
            **sent,  # type: ignore[arg-type]
        ) as answer:
            return pages.read(str(answer.url), await answer.text())

    def _booked(self, page: Page) -> str:
        for heading in page.headings:
            if BOOKED.search(heading) and not NOT_BOOKED.search(heading):
                return f"Books online: “{heading}”"
        return ""

    def _next_step(self, page: Page) -> Step | None:
        """The first way on that was not tried yet: a form, or else a link to a day or a time."""
        for form in sorted(page.forms, key=_appeal, reverse=True):
            if _appeal(form) == 0 or not self.world.is_ours(urljoin(page.url, form.action)):
                continue
            for fields in _ways_to_fill(form):
                url = urljoin(page.url, form.action or page.url)
                step: Step = (form.method, url, fields)
                if form.method == "get":
                    url = url.partition("?")[0]
                    step = ("get", url, fields)
                if step not in self.done:
                    return step
        for link in page.links:
            url = urljoin(page.url, link.href).partition("#")[0]
            bare, _, query = url.partition("?")
            step = ("get", bare, tuple(parse_qsl(query)))
            if self._leads_on(page, url, link.text) and step not in self.done:
                return step
        return None

    def _leads_on(self, page: Page, url: str, text: str) -> bool:
        here = urlsplit(page.url).path.rstrip("/")
        return (
            self.world.is_ours(url)
            and urlsplit(url).path.startswith(here)
            and url != page.url
            and bool(DAY_OR_TIME.search(text))
        )


def _appeal(form: Form) -> int:
    """How much a form looks like the way to a booking; 0 is no way at all."""
    choices = [control for control in form.controls if control.kind == "radio"]
    buttons = _willing_buttons(form)
    if not buttons and not choices:
        return 0
    if choices:
        return 3
    return 2 if any(DAY_OR_TIME.search(button.label) for button in buttons) else 1


def _willing_buttons(form: Form) -> list[Control]:
    if re.search(r"/o/|manage|cancel|move", form.action):
        return []
    return [button for button in form.buttons if not LEADS_AWAY.search(button.label)]


def _ways_to_fill(form: Form) -> list[tuple[tuple[str, str], ...]]:
    """The form filled in, once for every choice of its last radio group or of its buttons."""
    fixed = [field for control in form.controls for field in _fixed(control)]
    groups: dict[str, list[Control]] = {}
    for control in form.controls:
        if control.kind == "radio":
            groups.setdefault(control.name, []).append(control)
    *earlier, last = list(groups.values()) or [[]]
    for group in earlier:
        fixed.append((group[0].name, group[0].value))
    choices = [[(option.name, option.value)] for option in last] or [[]]
    presses = [
        [(button.name, button.value)] if button.name else [] for button in _willing_buttons(form)
    ]
    return [tuple(fixed + choice + press) for choice in choices for press in (presses or [[]])]


def _fixed(control: Control) -> list[tuple[str, str]]:
    if not control.name or control.kind in ("radio", "submit", "button", "reset", "image", "file"):
        return []
    if control.kind == "checkbox":
        return [(control.name, control.value)] if control.checked or control.required else []
    if control.kind == "select":
        filled = [option for option in control.options if option]
        return [(control.name, filled[0] if filled else "")]
    return [(control.name, control.value)]


def _note(world: World, person: Person, text: str) -> None:
    world.people.add(person, Entry(at=world.clock.now(), kind="note", text=text, from_patient=True))
