"""The one statement of an upsert sees what the separate look-ups see."""

from itertools import product

import pytest
from django.db import connection, transaction

from patients import matching, one_look, opt_out, suppressions, tps
from patients.models import TpsRegister
from practices.journal import Actor
from sightsync.lib import clock
from tests import engine

NUMBER, OTHER = "+447700900001", "+447700900002"


def look(practice, **details) -> one_look.Look:
    with transaction.atomic():
        return one_look.look(practice.pk, matching.Person(**details))


def load(*lists: str) -> None:
    for listing in lists:
        TpsRegister.objects.create(
            register_date=clock.today(),
            loaded_at=clock.now(),
            applied_at=clock.now(),
            numbers=1,
            file_sha256="0" * 64,
            listing=listing,
            current=True,
        )


@pytest.mark.parametrize("lists", [(), ("tps",), ("ctps",), ("tps", "ctps"), ("both",)])
@pytest.mark.parametrize("on", list(product((False, True), repeat=2)))
def test_the_register_says_the_same(practice, lists, on) -> None:
    load(*lists)
    with connection.cursor() as cursor:
        for table, listed in zip(("tps_number", "ctps_number"), on, strict=True):
            if listed:
                cursor.execute(f"INSERT INTO {table} VALUES (%s)", [int(NUMBER[1:])])
    for number in (NUMBER, OTHER):
        found = look(practice, phone_number=number).lookups.listings
        assert found == {number: tps.lookup_one(number)}


def test_the_suppression_list_says_the_same(practice, other_practice) -> None:
    actor = Actor.system("test")
    for channel in ("sms", "voice", None):
        opt_out.record_number(
            practice=practice, phone=NUMBER, channel=channel, source="sms_reply", actor=actor
        )
    for where, details in product(
        (practice, other_practice),
        ({"phone_number": NUMBER, "email": "a@example.org"}, {"phone_number": OTHER}, {}),
    ):
        hashes = suppressions.of(
            phone=details.get("phone_number", ""), email=details.get("email", "")
        )
        expected = suppressions.find(practice_id=where.pk, hashes=hashes)
        assert look(where, **details).lookups.suppressed == expected


def test_it_finds_whom_the_details_may_belong_to(practice, other_practice) -> None:
    by_id = engine.patient(practice, OTHER, external_id="7")
    by_number = engine.patient(practice, NUMBER)
    by_address = engine.patient(practice, "+447700900003", "a@example.org")
    engine.patient(practice, NUMBER, erased_at=clock.now())
    engine.patient(other_practice, NUMBER, "a@example.org", external_id="7")
    both = look(practice, phone_number=NUMBER, external_id="7", email="a@example.org")
    assert set(both.records) == {by_id.pk, by_number.pk}
    assert set(look(practice, email="a@example.org").records) == {by_address.pk}
    assert look(practice).records == {}
    assert {one.id for one in both.candidates()} == set(both.records)
