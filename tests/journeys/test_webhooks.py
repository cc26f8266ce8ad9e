"""A booked recall reaches the practice's other system, thin or whole, each event once."""

import json
from collections import Counter

import pytest

from integrations.webhooks import endpoints
from tests import engine
from tests.integrations.webhooks.receiver import Receiver, answering
from tests.journeys.conftest import Stack

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_recall_is_heard_by_the_practices_other_system(stack: Stack) -> None:
    whole, thin = Receiver(answering(204)), Receiver(answering(204))
    try:
        for receiver, full in ((whole, True), (thin, False)):
            endpoints.create(
                practice=stack.practice,
                url=receiver.url,
                wanted=["*"],
                actor=engine.ACTOR,
                full_objects=full,
            )
        patient = stack.patient("01")
        stack.recall(patient)
        stack.until_ended(patient)
        stack.work()
        heard = [json.loads(got.body) for got in whole.received]
        told = [json.loads(got.body) for got in thin.received]
    finally:
        whole.close()
        thin.close()
    names = Counter(event["type"] for event in heard)
    assert names["call.completed"] == names["appointment.booked"] == 1
    assert max(Counter(event["id"] for event in heard).values()) == 1
    assert sorted(event["id"] for event in heard) == sorted(event["id"] for event in told)
    objects = {event["type"]: event["data"]["object"] for event in heard}
    assert objects["call.completed"]["call_status"] == "booked"
    assert objects["appointment.booked"]["patients"]["first_name"] == "Jane"
    assert objects["campaign.started"]["patients"] == 1
    assert not any("Jane" in json.dumps(event) for event in told)
