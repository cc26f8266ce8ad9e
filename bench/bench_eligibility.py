"""Eligibility: all rules for every patient of a large practice against one plain query that fetches
the same facts; and a million patients summed up by reason against a sequential count.
"""

from collections.abc import Callable
from datetime import timedelta

from bench import measure, scratch

from django.db import connection, transaction  # isort: skip
from django.test.utils import CaptureQueriesContext  # isort: skip

from patients.models import Patient, Suppression, TpsRegister
from practices.models import Practice
from recall.eligibility import gather, sql, summary
from recall.models import Appointment, Attempt, Channel
from sightsync.lib import clock

# The facts as they stand in the rows, without a signature: what anybody would have to fetch.
PLAIN = f"""
SELECT p.id, p.archived_at, p.deceased_at, p.erased_at, p.opted_out_at, p.opted_out_channels,
    p.phone_number, p.phone_kind, p.phone_is_drama, p.phone_wrong_at, p.email, p.email_bounced_at,
    p.tps_listing, p.not_before, p.next_clinical_due_date, own.starts_at, own.last_at,
    own.third_at, own.ringing, shared.last_at, shared.third_at, shared.ringing, number.channels,
    address.channels
FROM patients_patient p {sql.JOINS_AT_ONCE}
WHERE p.practice_id = ANY(%(practices)s)"""


def build(practices: int, patients_each: int) -> list[Practice]:
    """Practices with patients, two calls each over four months, appointments and suppressions."""
    total = practices * patients_each
    scratch.fill(
        Practice,
        f"generate_series(1, {practices}) n",
        id="md5('practice' || n)::uuid",
        name="'Practice ' || n",
        calling_weekdays="'{0,1,2,3,4}'",
        plan="'group'",
        subscription_status="'active'",
    )
    scratch.fill(
        Patient,
        f"generate_series(0, {total - 1}) n, LATERAL (SELECT '+4477' || lpad((n::bigint * 7919"
        " % 100000000)::text, 8, '0') AS phone, random() AS r, random() AS s) x",
        id="md5('patient' || n)::uuid",
        practice_id=f"md5('practice' || (n / {patients_each} + 1))::uuid",
        first_name="'Patient'",
        last_name="'Number ' || n",
        phone_number="CASE WHEN r < 0.03 THEN '' ELSE phone END",
        phone_kind="CASE WHEN r < 0.03 THEN '' WHEN r < 0.3 THEN 'fixed_line' ELSE 'mobile' END",
        phone_hash="CASE WHEN r < 0.03 THEN NULL ELSE sha256(phone::bytea) END",
        email="CASE WHEN s < 0.4 THEN '' ELSE 'patient' || n || '@example.org' END",
        email_hash="CASE WHEN s < 0.4 THEN NULL ELSE sha256(('e' || n)::bytea) END",
        risk_category="CASE WHEN n % 9 = 0 THEN 'diabetic' ELSE 'standard' END",
        due_source="'default_interval'",
        due_reason="'standard'",
        next_clinical_due_date="current_date + (random() * 1000)::int - 600",
        tps_listing="CASE WHEN r > 0.55 THEN 1 ELSE 0 END",
        opted_out_at="CASE WHEN s > 0.96 THEN now() END",
        opted_out_channels="CASE WHEN s BETWEEN 0.93 AND 0.95 THEN '{voice}'::text[] ELSE '{}' END",
        archived_at="CASE WHEN s < 0.02 THEN now() END",
        deceased_at="CASE WHEN s > 0.02 AND s < 0.03 THEN now() END",
    )
    scratch.fill(
        Attempt,
        "patients_patient p, generate_series(1, 2) k,"
        " LATERAL (SELECT now() - random() * interval '120 days' AS at, p.id AS own) x",
        id="gen_random_uuid()",
        practice_id="p.practice_id",
        patient_id="p.id",
        channel="'voice'",
        state="'done'",
        outcome="'no_answer'",
        destination="p.phone_number",
        submitted_at="at",
        created_at="at",
        due_at="at",
        ended_at="at",
    )
    scratch.fill(
        Appointment,
        "patients_patient p, LATERAL (SELECT now() + (random() - 0.5) * interval '60 days' AS at,"
        " p.id AS own) x WHERE hashtext(p.id::text) % 10 = 0",
        id="gen_random_uuid()",
        practice_id="p.practice_id",
        patient_id="p.id",
        starts_at="at",
        ends_at="at + interval '30 minutes'",
        status="'booked'",
        source="'staff'",
    )
    scratch.fill(
        Suppression,
        "patients_patient p WHERE phone_hash IS NOT NULL AND hashtext(p.id::text) % 50 = 1",
        practice_id="p.practice_id",
        kind="'phone'",
        hash="p.phone_hash",
        channel="'all'",
        source="'gdpr'",
    )
    now = clock.now()
    TpsRegister.objects.create(
        register_date=clock.today() - timedelta(days=3),
        loaded_at=now,
        applied_at=now,
        numbers=0,
        file_sha256="0" * 64,
        current=True,
    )
    scratch.analyze()
    return list(Practice.objects.all())


def fetch_plain(practice: Practice) -> Callable[[], int]:
    """The peer: the facts of every patient into Python, streamed like ours."""

    def work() -> int:
        params = gather.parameters([practice.pk], clock.now())
        count = 0
        with transaction.atomic(), connection.chunked_cursor() as cursor:
            cursor.execute(PLAIN, params)
            while batch := cursor.fetchmany(gather.BATCH):
                count += len(batch)
        return count

    return work


def judge(practice: Practice, patients: int) -> Callable[[], int]:
    """Ours: every patient's reasons."""

    def work() -> int:
        found = gather.verdicts(practice=practice, channel=Channel.VOICE, now=clock.now())
        judged = sum(1 for _, verdict in found if verdict.codes is not None)
        if judged != patients:
            raise RuntimeError(f"{judged} patients were judged, not {patients}")
        return judged

    return work


def count_sequentially() -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute("SET LOCAL enable_indexscan = off")
        cursor.execute("SELECT count(*) FROM patients_patient")
        return int(cursor.fetchone()[0])


def large_practice(patients: int) -> list[measure.Line]:
    (practice,) = build(1, patients)
    before = measure.peak_mb()
    work = judge(practice, patients)
    work()
    grown = measure.peak_mb() - before
    ours, peer = measure.side_by_side(work, fetch_plain(practice))
    with CaptureQueriesContext(connection) as queries:
        work()
    selects = sum("SELECT" in query["sql"] for query in queries)
    return [
        measure.Line(
            f"every patient's reasons, {patients:,} patients, against a plain query",
            ours / peer,
            3,
            note=f"{ours:.2f} s against {peer:.2f} s",
        ),
        measure.Line("memory it grew by meanwhile", grown, 30, "MB"),
        measure.Line("queries", selects, 6, "", "whatever the number of patients"),
    ]


def many_practices(practices: int, each: int) -> list[measure.Line]:
    listed = build(practices, each)

    def ours() -> object:
        return summary.summarise(listed, channel=Channel.VOICE, now=clock.now())

    mine, count = measure.side_by_side(ours, count_sequentially)
    return [
        measure.Line(
            f"{practices * each:,} patients by reason, against a sequential count",
            mine / count,
            25,
            note=f"{mine * 1000:.0f} ms against {count * 1000:.0f} ms",
        )
    ]


if __name__ == "__main__":
    lines = []
    with scratch.database("eligibility"):
        lines += large_practice(100_000)
    with scratch.database("eligibility"):
        lines += many_practices(100, 10_000)
    measure.report(lines)
