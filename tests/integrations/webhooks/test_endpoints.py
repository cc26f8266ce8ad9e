"""Changes of endpoints, and what the events tell."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection

from integrations.models import DisabledReason, WebhookDelivery, WebhookEndpoint
from integrations.webhooks import deliver, endpoints, events, fan_out, keeping, resend
from practices.models import JournalEntry, Practice
from sightsync.lib import clock, ids
from sightsync.lib.errors import AppError
from tests.integrations.webhooks.conftest import ACTOR, Happen, MakeEndpoint

pytestmark = pytest.mark.django_db


def _entry(action: str, facts: dict, subject_type: str = "", **more) -> JournalEntry:
    subject = str(ids.new()) if subject_type else ""
    return JournalEntry(
        practice_id=ids.new(),
        at=clock.now(),
        actor_kind="api_key",
        action=action,
        subject_type=subject_type,
        subject_id=subject,
        facts=facts,
        **more,
    )


# --- what leaves --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject_type", "facts", "name", "prefix"),
    [
        ("attempt", {"channel": "voice"}, "call_id", "c_"),
        ("attempt", {}, "call_id", "c_"),
        ("attempt", {"channel": "sms"}, "message_id", "c_"),
        ("appointment", {}, "appointment_id", "apt_"),
        ("episode", {}, "recall_id", "rec_"),
        ("campaign", {}, "campaign_id", "cmp_"),
        ("stafftask", {}, "task_id", "tsk_"),
        ("importrun", {}, "import_id", "imp_"),
        ("patient", {}, "patient_id", "pat_"),
    ],
)
def test_a_thin_event_names_its_subject_by_its_public_id(subject_type, facts, name, prefix) -> None:
    data = events.thin(_entry("call.completed", facts, subject_type))
    assert data[name].startswith(prefix)


def test_a_thin_event_holds_the_journals_facts_without_a_word_on_health() -> None:
    patient = ids.new()
    facts = {
        "outcome": "symptoms",
        "duration_seconds": 74,
        "starts_at": "2026-11-24T14:30:00+00:00",
        "fields": ["risk_category"],
    }
    data = events.thin(_entry("call.completed", facts, "attempt", patient_id=patient))
    assert data.pop("call_id")
    assert data == {
        "outcome": "needs_staff",
        "duration_seconds": 74,
        "starts_at": "2026-11-24T14:30:00Z",
        "fields": ["risk_category"],
        "patient_id": ids.encode("pat", patient),
        "actor": "api_key",
    }


def test_the_nine_documented_events_are_in_the_catalogue() -> None:
    assert set(events.DOCUMENTED) == {
        "call.completed",
        "call.failed",
        "appointment.booked",
        "appointment.confirmed",
        "appointment.cancelled",
        "appointment.no_show",
        "patient.created",
        "patient.updated",
        "patient.deleted",
    }
    assert all(events.of_action(name) == name for name in events.CATALOGUE)
    assert events.of_action("attempt.claimed") == ""
    assert events.of_action("api_key.created") == ""


def test_an_endpoint_that_asks_gets_the_object_of_now(
    practice: Practice, endpoint: MakeEndpoint, happen: Happen, monkeypatch
) -> None:
    asked: list[tuple[UUID, UUID]] = []
    monkeypatch.setattr(events, "_expanders", {})

    def expand(practice_id: UUID, patient_id: UUID) -> dict[str, object]:
        asked.append((practice_id, patient_id))
        return {"first_name": "Jane"}

    events.register("patient", expand)
    full, thin = endpoint(full_objects=True), endpoint()
    happen("patient.updated")
    fan_out.run()
    data = deliver.content_of(full.deliveries.get())["data"]
    assert data["object"] == {"first_name": "Jane"}
    assert "object" not in deliver.content_of(thin.deliveries.get())["data"]
    assert asked == [(practice.pk, full.deliveries.get().patient_id)]


def test_nothing_of_the_body_or_the_secret_is_in_the_database(
    endpoint: MakeEndpoint, happen: Happen
) -> None:
    one = endpoint()
    happen()
    fan_out.run()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e::text || d::text FROM integrations_webhookendpoint e"
            " JOIN integrations_webhookdelivery d ON d.endpoint_id = e.id"
        )
        [(text,)] = cursor.fetchall()
    assert one.secret not in text
    assert "whsec_" not in text
    assert '"source"' not in text


# --- changes ------------------------------------------------------------------------------------


def test_every_change_is_in_the_journal(endpoint: MakeEndpoint) -> None:
    one = endpoint()
    endpoints.update(endpoint=one, full_objects=True, wanted=["*"], actor=ACTOR)
    endpoints.update(endpoint=one, full_objects=True, actor=ACTOR)
    endpoints.rotate_secret(endpoint=one, actor=ACTOR)
    resend.test(endpoint=one, actor=ACTOR)
    endpoints.disable(endpoint=one, reason=DisabledReason.BY_HAND, actor=ACTOR)
    endpoints.disable(endpoint=one, reason=DisabledReason.GONE, actor=ACTOR)
    endpoints.enable(endpoint=one, actor=ACTOR)
    endpoints.enable(endpoint=one, actor=ACTOR)
    endpoints.delete(endpoint=one, actor=ACTOR)
    endpoints.delete(endpoint=one, actor=ACTOR)
    written = list(JournalEntry.objects.order_by("pk").values_list("action", flat=True))
    assert written == [
        "webhook.created",
        "webhook.updated",
        "webhook.secret_rotated",
        "webhook.tested",
        "webhook.disabled",
        "webhook.enabled",
        "webhook.deleted",
    ]
    assert not WebhookEndpoint.objects.exists()


def test_the_address_is_checked_when_it_is_saved_and_when_it_is_changed(
    practice: Practice, endpoint: MakeEndpoint, monkeypatch
) -> None:
    for url in (
        "https://127.0.0.1.nip.example.com/",
        "http://pms.example.com/",
        "https://10.0.0.1/",
    ):
        monkeypatch.setattr(
            "integrations.webhooks.addresses.resolver", lambda host, port: ["192.168.1.1"]
        )
        with pytest.raises(AppError) as refused:
            endpoint(url)
        assert (refused.value.status, list(refused.value.extra["errors"])) == (400, ["url"])
        with pytest.raises(AppError):
            endpoints.update(endpoint=endpoint(), url=url, actor=ACTOR)


def test_a_name_that_stands_for_nothing_yet_may_be_saved(
    endpoint: MakeEndpoint, monkeypatch
) -> None:
    def resolver(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    monkeypatch.setattr("integrations.webhooks.addresses.resolver", resolver)
    assert endpoint("https://your-pms.example/webhooks/sightsync").is_active


@pytest.mark.parametrize(
    ("mode", "live", "may"),
    [("sandbox", False, True), ("live", False, False), ("sandbox", True, False)],
)
def test_this_machine_is_reached_in_the_sandbox_only(practice, settings, mode, live, may) -> None:
    practice.mode, settings.LIVE = mode, live
    assert endpoints.may_loop_back(practice) is may


def test_there_are_at_most_so_many(endpoint: MakeEndpoint, monkeypatch) -> None:
    monkeypatch.setattr(endpoints, "MAX_ENDPOINTS", 2)
    endpoint()
    endpoint()
    with pytest.raises(AppError) as refused:
        endpoint()
    assert refused.value.status == 409


def test_one_that_is_off_takes_no_test_and_no_resend(
    endpoint: MakeEndpoint, happen: Happen
) -> None:
    one = endpoint()
    happen()
    fan_out.run()
    endpoints.disable(endpoint=one, reason=DisabledReason.BY_HAND, actor=ACTOR)
    row = one.deliveries.select_related("endpoint").get()
    for act in (
        lambda: resend.test(endpoint=one, actor=ACTOR),
        lambda: resend.again(delivery=row, actor=ACTOR),
        lambda: resend.all_failed(endpoint=one, actor=ACTOR),
    ):
        with pytest.raises(AppError) as refused:
            act()
        assert refused.value.code == "webhook_is_off"


def test_failed_ones_are_sent_again_with_the_ids_they_had(
    endpoint: MakeEndpoint, happen: Happen
) -> None:
    one, other = endpoint(), endpoint()
    happen(times=3)
    fan_out.run()
    before = set(one.deliveries.values_list("event_id", flat=True))
    WebhookDelivery.objects.update(state="failed", attempts=8, next_try_at=None)
    assert resend.all_failed(endpoint=one, actor=ACTOR) == 3
    assert resend.all_failed(endpoint=one, actor=ACTOR) == 0
    rows = one.deliveries.all()
    assert {(row.state, row.attempts, row.next_try_at) for row in rows} == {
        ("planned", 0, clock.now())
    }
    assert {row.event_id for row in rows} == before
    assert set(other.deliveries.values_list("state", flat=True)) == {"failed"}


def test_old_lines_and_old_secrets_are_forgotten(
    endpoint: MakeEndpoint, happen: Happen, at
) -> None:
    one = endpoint()
    endpoints.rotate_secret(endpoint=one, actor=ACTOR)
    happen()
    fan_out.run()
    at(clock.now() + timedelta(days=29))
    assert keeping.clear_old() == 0
    one.refresh_from_db()
    assert (one.previous_secret, one.previous_expires_at) == ("", None)
    happen()
    fan_out.run()
    at(clock.now() + timedelta(days=2))
    assert keeping.clear_old() == 1
    assert fan_out.run() == 0


def test_an_unknown_event_is_refused_with_those_there_are(endpoint: MakeEndpoint) -> None:
    for wanted in (("patient.exploded",), (), ("*", "call.complete"), ("webhook.test",)):
        with pytest.raises(AppError) as refused:
            endpoint(wanted=wanted)
        assert refused.value.code == "unknown_event"
        assert set(refused.value.extra["known_events"]) == {"*", *events.CATALOGUE}
    assert endpoint(wanted=("call.failed", "*")).events == ["*"]
    assert endpoint(wanted=("call.failed", "call.completed", "call.failed")).events == [
        "call.failed",
        "call.completed",
    ]
