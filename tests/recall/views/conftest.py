"""Alice, Bob, a viewer and Charlie at their browsers, in front of a practice with a full day."""

import pytest
from django.test import Client

from practices.models import Membership, Practice, Role, User
from tests import working_day
from tests.working_day import WorkingDay


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def day(practice: Practice, alice: User) -> WorkingDay:
    return working_day.fill(practice, alice)


@pytest.fixture
def owner(alice: User) -> Client:
    return signed_in(alice)


@pytest.fixture
def reception(bob: User) -> Client:
    return signed_in(bob)


@pytest.fixture
def viewer(practice: Practice) -> Client:
    user = User.objects.create_user("vera@example.org", "correct horse battery", full_name="Vera")
    Membership.objects.create(practice=practice, user=user, role=Role.VIEWER)
    return signed_in(user)


@pytest.fixture
def stranger(charlie: User) -> Client:
    return signed_in(charlie)
