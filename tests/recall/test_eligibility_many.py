"""A list of patients is judged as each of them alone, in a fixed number of queries and by a plan
that ends.
"""

import random
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from patients.models import Patient, Suppression
from recall.eligibility import gather, sql, summary
from recall.eligibility.evaluate import evaluate
from recall.eligibility.facts import CAP_WINDOW, Facts, signature, standing_for
from recall.eligibility.rules import RULES
from recall.models import (
    Attempt,
    AttemptState,
    Channel,
)
from recall.models.attempts import LIVE_STATES
from sightsync.lib import clock
from tests.recall.eligibility_rows import crowd

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 18)


def facts_by_hand(who: Patient) -> Facts:
    """The same facts, read one by one the plain way."""
    now = clock.now()
    who.refresh_from_db()
    calls = Attempt.objects.filter(practice=who.practice, channel=Channel.VOICE)
    own = calls.filter(patient=who)
    shared = calls.filter(destination=who.phone_number) if who.phone_number else calls.none()

    def latest(attempts, place):
        times = attempts.filter(submitted_at__gt=now - CAP_WINDOW).order_by("-submitted_at")
        return times.values_list("submitted_at", flat=True)[place : place + 1].first()

    def later(*moments):
        return max((moment for moment in moments if moment), default=None)

    blocked = set()
    for row in Suppression.objects.filter(practice=who.practice, lifted_at=None):
        digest = who.phone_hash if row.kind == "phone" else who.email_hash
        if digest is not None and bytes(digest) == bytes(row.hash):
            blocked |= set(Channel) if row.channel == "all" else {row.channel}
    ahead = who.appointments.filter(status__in=["booked", "confirmed"], starts_at__gt=now).order_by(
        "starts_at"
    )
    first = ahead.first()
    return Facts(
        archived=who.archived_at is not None,
        deceased=who.deceased_at is not None,
        erased=who.erased_at is not None,
        opted_out=who.opted_out_at is not None,
        opted_out_of=frozenset(who.opted_out_channels),
        suppressed_on=frozenset(blocked),
        phone_kind=who.phone_kind,
        phone_is_drama=who.phone_is_drama,
        phone_is_wrong=who.phone_wrong_at is not None,
        has_email=bool(who.email),
        email_bounced=who.email_bounced_at is not None,
        tps_listing=who.tps_listing,
        appointment_at=first.starts_at if first else None,
        call_under_way=(own | shared).filter(state__in=LIVE_STATES).exists(),
        last_call_at=later(latest(own, 0), latest(shared, 0)),
        third_last_call_at=later(latest(own, 2), latest(shared, 2)),
        not_before=who.not_before,
        due_on=who.next_clinical_due_date,
    )


@pytest.mark.parametrize("seed", range(3))
def test_every_way_of_asking_gives_the_same_answer(practice, other_practice, register, now, seed):
    people = crowd(practice, seed)
    crowd(other_practice, seed, size=15)
    by_hand = {who.pk: facts_by_hand(who) for who in people}
    listed = {row.patient_id: row for row in gather.rows(practice_id=practice.pk, now=now)}
    few = {
        row.patient_id: row
        for row in gather.rows(practice_id=practice.pk, now=now, patients=list(by_hand))
    }
    assert listed == few
    assert set(listed) == set(by_hand)
    for key, facts in by_hand.items():
        assert listed[key].bits == signature(facts, now, TODAY), facts
    for channel in Channel:
        policy = gather.policy_of(practice, now, require_due=True)
        expected = {key: evaluate(facts, policy, now, channel) for key, facts in by_hand.items()}
        found = dict(gather.verdicts(practice=practice, channel=channel, now=now, require_due=True))
        assert {key: verdict.codes for key, verdict in found.items()} == {
            key: verdict.codes for key, verdict in expected.items()
        }
        for key, verdict in expected.items():
            assert found[key].next_allowed_at == verdict.next_allowed_at
            instants = [result.passes_at for result in verdict.failures]
            assert [result.passes_at for result in found[key].failures] == instants
        counted = summary.summarise([practice], channel=channel, now=now, require_due=True)
        totals = counted[practice.pk]
        assert totals.patients == len(people)
        assert totals.allowed == sum(verdict.allowed for verdict in expected.values())
        for rule in RULES:
            assert totals.reasons[rule.code] == sum(
                rule.code in verdict.codes for verdict in expected.values()
            )


def test_one_patient_is_judged_as_in_the_list(practice, now):
    for who in crowd(practice, seed=9, size=40):
        alone = gather.facts_of_patient(who, now)
        # Without a register nothing has been screened; the flag on the record is not asked.
        by_hand = facts_by_hand(who)
        same = Facts(
            **{name: getattr(by_hand, name) for name in Facts.__slots__ if name != "tps_listing"},
            tps_listing=None if who.phone_number else by_hand.tps_listing,
        )
        assert signature(alone, now, TODAY) == signature(same, now, TODAY)
        assert alone.last_call_at == same.last_call_at
        assert alone.third_last_call_at == same.third_last_call_at


def test_a_signature_and_the_facts_that_stand_for_it_agree(now):
    pick = random.Random(5)
    for _ in range(500):
        bits = signature(standing_for(pick.getrandbits(29), now, TODAY), now, TODAY)
        assert signature(standing_for(bits, now, TODAY), now, TODAY) == bits


def test_the_number_of_queries_does_not_grow_with_the_list(practice, register, now):
    def queries(work) -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            work()
        return len([query for query in captured if "SAVEPOINT" not in query["sql"]])

    def judge_all():
        list(gather.verdicts(practice=practice, channel=Channel.VOICE, now=now))

    def sum_up():
        summary.summarise([practice], channel=Channel.VOICE, now=now)

    crowd(practice, seed=1, size=10)
    before = queries(judge_all), queries(sum_up)
    crowd(practice, seed=2, size=60)
    assert (queries(judge_all), queries(sum_up)) == before
    assert max(before) <= 4


def nodes(plan) -> list[str]:
    """The kinds of all nodes of a plan, top down."""
    found = [plan["Node Type"]]
    for part in plan.get("Plans", []):
        found += nodes(part)
    return found


def plan_of(query: str, practices, now) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {query}", gather.parameters(practices, now))
        return nodes(cursor.fetchone()[0][0]["Plan"])


@pytest.fixture
def many(practice, other_practice) -> list:
    """Enough rows, with statistics, for the planner to choose as it would for a million."""
    now = clock.now()
    for index, owner in enumerate((practice, other_practice)):
        people = Patient.objects.bulk_create(
            Patient(
                practice=owner,
                first_name="Jane",
                phone_number=f"+44770{index}{number:06}",
                phone_kind="mobile",
                phone_hash=number.to_bytes(32, "big"),
                next_clinical_due_date=TODAY,
                due_source="default_interval",
                created_at=now,
                updated_at=now,
            )
            for number in range(1200)
        )
        Attempt.objects.bulk_create(
            Attempt(
                practice=owner,
                patient=who,
                channel=Channel.VOICE,
                state=AttemptState.DONE,
                destination=who.phone_number,
                due_at=now,
                created_at=now,
                submitted_at=now - timedelta(days=days),
            )
            for who in people
            for days in (3, 20)
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE patients_patient, recall_attempt, recall_appointment")
        cursor.execute("ANALYZE patients_suppression")
    return [practice.pk, other_practice.pk]


@pytest.mark.parametrize("name", ["COUNTS", "ROWS_OF_PRACTICE"])
def test_whole_practices_are_joined_by_hash_and_never_row_by_row(many, now, name):
    plan = plan_of(getattr(sql, name), many, now)
    assert "Hash Join" in plan
    assert "Nested Loop" not in plan


def test_a_plan_that_goes_row_by_row_would_be_seen(many, now):
    """The same facts asked as the trap asks them: the check above is able to fail."""
    trap = """
        WITH lately AS (SELECT patient_id FROM recall_attempt
            GROUP BY patient_id HAVING max(submitted_at) > %(spacing)s AND count(*) > 2)
        SELECT count(*) FROM patients_patient p WHERE p.practice_id = ANY(%(practices)s)
            AND NOT EXISTS (SELECT FROM lately WHERE lately.patient_id::text = p.id::text
                OR lately.patient_id = p.id)"""
    assert "Nested Loop" in plan_of(trap, many, now)
