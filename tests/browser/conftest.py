"""A real Chromium in front of the real server.

Without Chromium these tests skip, unless CI is set: there nothing may skip.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from practices.models import Practice, User
from tests import working_day
from tests.working_day import WorkingDay

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 10_000

# Playwright's event loop runs in this thread; Django would refuse the database because of it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


def _chromium() -> str | None:
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not for the session: Playwright's loop would run on under tests that start their own."""
    path = _chromium()
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("CI is set and no Chromium was found")
        pytest.skip("no Chromium was found")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield running
        running.close()


Visit = Callable[..., Page]


@pytest.fixture
def visit(browser: Browser, live_server: object) -> Iterator[Visit]:
    """`visit(user)` opens a browser window, signed in when a user is given.

    A complaint on the page's console (a script that failed, a thing the content policy blocked)
    fails the test.
    """
    base = str(live_server)
    windows: list[BrowserContext] = []
    complaints: list[str] = []

    def open_window(user: User | None = None, width: int = 1440, **options: object) -> Page:
        window = browser.new_context(
            base_url=base,
            viewport={"width": width, "height": 900},
            locale="en-GB",
            reduced_motion="reduce",
            **options,
        )
        windows.append(window)
        if user is not None:
            client = Client()
            client.force_login(user)
            _has_just_proved_it(client, user)
            cookie = client.cookies[settings.SESSION_COOKIE_NAME]
            window.add_cookies(
                [{"name": settings.SESSION_COOKIE_NAME, "value": cookie.value, "url": base}]
            )
        page = window.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on("console", lambda said: _note(complaints, page, said.type, said.text))
        return page

    yield open_window
    for window in windows:
        window.close()
    assert not complaints


def _has_just_proved_it(client: Client, user: User) -> None:
    """What changes how one signs in asks for the password again, unless it was just given."""
    EmailAddress.objects.get_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )
    session = client.session
    session["account_authentication_methods"] = [
        {"method": "password", "at": time.time(), "reauthenticated": True}
    ]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()


def _note(complaints: list[str], page: Page, kind: str, text: str) -> None:
    if kind == "error" and "status of 4" not in text:
        complaints.append(f"{page.url}: {text}")


@pytest.fixture
def day(practice: Practice, alice: User) -> WorkingDay:
    return working_day.fill(practice, alice)
