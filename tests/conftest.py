"""Three people (alice, bob, charlie), their practices, and the clock in the test's hand."""

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from hypothesis import settings as hypothesis_settings

from practices.models import Membership, Practice, Role, User
from sightsync.lib import clock

pytest_plugins = ["tests.sandbox"]

# A landing must not depend on luck: there the same cases are tried every time. On one's own machine
# each run looks at new ones.
hypothesis_settings.register_profile("ci", derandomize=True)
if os.environ.get("CI") == "true":
    hypothesis_settings.load_profile("ci")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """With CI=true nothing may skip: a skipped test fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") == "true" and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("CI=true, and tests were skipped: nothing may skip here.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


DEFAULT_NOW = "2026-11-18T10:04:00Z"
"""A Wednesday, in hours."""


@pytest.fixture(autouse=True)
def at() -> Iterator[Callable[[str | datetime], None]]:
    """Stops the product's clock; call it to set another time (ISO 8601)."""

    def set_to(moment: str | datetime) -> None:
        instant = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        clock.use(lambda: instant)

    set_to(DEFAULT_NOW)
    yield set_to
    clock.use(clock.real_now)


@pytest.fixture(autouse=True)
def _forget_counts() -> None:
    """What is counted in the cache (wrong links, wrong passwords) is each test's own."""
    cache.clear()


@pytest.fixture(autouse=True)
def _forget_registers(request: pytest.FixtureRequest, django_db_blocker: Any) -> Iterator[None]:
    """The registers' tables have no model, so that flushing the database passes them by."""
    yield
    marker = request.node.get_closest_marker("django_db")
    commits = {"live_server", "transactional_db"} & set(request.fixturenames)
    if commits or (marker is not None and marker.kwargs.get("transaction")):
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            for table in ("tps_number", "ctps_number"):
                cursor.execute(f"DELETE FROM {table}")


@pytest.fixture
def practice(db: None) -> Practice:
    """Acuity Opticians, in its calling hours, on the growth plan."""
    return Practice.objects.create(
        name="Acuity Opticians",
        phone_number="+441184960000",
        caller_number="+441184960001",
        whatsapp_number="+441184960001",
        email="hello@acuity.example",
        address="14 Mill Lane, Reading",
        plan="growth",
        subscription_status="active",
        created_at=clock.now(),
    )


@pytest.fixture
def other_practice(db: None) -> Practice:
    """Charlie's: must never see or be seen."""
    return Practice.objects.create(
        name="Bellweather Eyecare",
        phone_number="+442079460000",
        caller_number="+442079460001",
        plan="growth",
        subscription_status="active",
        created_at=clock.now(),
    )


def _person(name: str, practice: Practice, role: Role) -> User:
    user = User.objects.create_user(
        f"{name.lower()}@example.org", "correct horse battery", full_name=f"{name} Example"
    )
    Membership.objects.create(practice=practice, user=user, role=role)
    return user


@pytest.fixture
def alice(practice: Practice) -> User:
    """Owns Acuity Opticians."""
    return _person("Alice", practice, Role.OWNER)


@pytest.fixture
def bob(practice: Practice) -> User:
    """Is its receptionist."""
    return _person("Bob", practice, Role.STAFF)


@pytest.fixture
def charlie(other_practice: Practice) -> User:
    """Owns another practice."""
    return _person("Charlie", other_practice, Role.OWNER)
