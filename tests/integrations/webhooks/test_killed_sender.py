"""A sender is killed with -9: what it had on its way is sent again, with the id it had."""

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connection

from integrations.models import WebhookDelivery
from integrations.webhooks import deliver, fan_out
from sightsync.lib import clock
from tests.integrations.webhooks.conftest import Happen, MakeEndpoint, MakeReceiver

pytestmark = pytest.mark.django_db(transaction=True)

RUN_ONCE = """
import os, django
django.setup()
from datetime import datetime
from django.conf import settings
settings.DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE"]
from sightsync.lib import clock
moment = datetime.fromisoformat(os.environ["TEST_NOW"])
clock.use(lambda: moment)
from integrations.webhooks import deliver
deliver.run()
"""


def _killed(failpoint: str) -> int:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "sightsync.settings",
        "TEST_DATABASE": str(connection.settings_dict["NAME"]),
        "TEST_NOW": clock.now().isoformat(),
        "FAILPOINT": failpoint,
    }
    command = [sys.executable, "-c", RUN_ONCE]
    return subprocess.run(command, env=environment, timeout=60, check=False).returncode


@pytest.mark.parametrize(("place", "had_left"), [("webhooks.claimed", 0), ("webhooks.answered", 1)])
def test_killed_there_the_event_still_arrives_with_one_id(
    place: str, had_left: int, endpoint: MakeEndpoint, happen: Happen, receiver: MakeReceiver
) -> None:
    here = receiver()
    one = endpoint(here.url)
    happen()
    fan_out.run()
    assert _killed(place) == -signal.SIGKILL
    assert one.deliveries.get().state == "sending"
    assert len(here.received) == had_left

    deliver.wake(clock.now())
    assert deliver.run() == 0  # its lease has not run out
    WebhookDelivery.objects.update(lease_until=clock.real_now() - timedelta(seconds=1))
    deliver.wake(clock.now())
    assert deliver.run() == 1

    assert one.deliveries.get().state == "delivered"
    assert len(here.received) == had_left + 1
    assert len({got.headers["webhook-id"] for got in here.received}) == 1
