"""Fixtures of the fault tests: a real carrier that reaches us, and the invariants at the end."""

import os
import subprocess
import sys

import pytest

from sightsync.lib import clock
from tests import engine
from tests.invariants import assert_invariants


@pytest.fixture
def carrier(sandbox, live_server, settings):
    """The sandbox, whose callbacks reach the product; its log is judged when the test is over."""
    settings.PUBLIC_BASE_URL = live_server.url
    settings.CARRIER_CALL_SPACING_S = 0.0
    yield sandbox
    assert_invariants(sandbox.log())


@pytest.fixture
def jane(practice):
    """Overdue, with a mobile whose owner never reacts (persona 17), and a register to screen by."""
    engine.register()
    return engine.patient(practice, "+447700900117", email="jane@example.org")


@pytest.fixture
def reckless(sandbox, live_server, settings):
    """The carrier for a twin, which is to break an invariant: nothing is judged at the end."""
    settings.PUBLIC_BASE_URL = live_server.url
    settings.CARRIER_CALL_SPACING_S = 0.0
    sandbox.fault("twilio", "callbacks_off", match="To=")
    return sandbox


@pytest.fixture
def worker(carrier, settings):
    """Runs a job in a process of its own; its exit status."""

    def run(job: str, key: object, failpoint: str = "") -> int:
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "sightsync.settings",
            "SANDBOX_URL": settings.SANDBOX_URL,
            "PUBLIC_BASE_URL": settings.PUBLIC_BASE_URL,
            "CARRIER_CALL_SPACING_S": "0",
            "FAILPOINT": failpoint,
            "DATABASE_URL": engine.database_url(),
            "TEST_NOW": clock.now().isoformat(),
        }
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.worker_once", job, str(key)],
            env=environment,
            timeout=60,
            check=False,
        )
        return done.returncode

    return run
