"""A practice whose plan has a number of its own, and its order."""

from collections.abc import Callable

import pytest

from integrations.models import DedicatedNumber
from integrations.numbers import process
from practices.journal import Actor
from practices.models import Practice, User

ACTOR = Actor.system("test")
NUMBER = "+441184960615"
PAPERS = {
    "business_name": "Acuity Opticians Ltd",
    "registration_number": "01234567",
    "street": "14 Mill Lane",
    "city": "Reading",
    "postcode": "RG1 2AB",
    "email": "owner@acuity.example",
}


@pytest.fixture
def practice(practice: Practice) -> Practice:
    practice.plan = "practice"
    practice.save(update_fields=["plan"])
    return practice


@pytest.fixture
def order(practice: Practice, alice: User) -> Callable[..., DedicatedNumber]:
    def place(number: str = NUMBER, **papers: str) -> DedicatedNumber:
        return process.choose(
            practice=practice,
            phone_number=number,
            number_type="local",
            papers={**PAPERS, **papers},
            user=alice,
            actor=ACTOR,
        )

    return place
