"""The webhook operations, over HTTP with a key."""

from typing import Any

import orjson
import pytest
from django.http import HttpResponse

from integrations.models import WebhookDelivery, WebhookEndpoint
from integrations.webhooks import deliver, endpoints, fan_out
from practices.models import JournalEntry, Practice
from tests.api.conftest import ApiClient, check_error, make_client
from tests.integrations.webhooks.conftest import Happen, MakeEndpoint, MakeReceiver

pytestmark = pytest.mark.django_db

URL = "https://your-pms.example/webhooks/sightsync"
EVENTS = ["call.completed", "appointment.booked"]


@pytest.fixture(autouse=True)
def _no_names(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolver(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    monkeypatch.setattr("integrations.webhooks.addresses.resolver", resolver)


@pytest.fixture
def api(practice: Practice) -> ApiClient:
    return make_client(practice)


@pytest.fixture
def other_api(other_practice: Practice) -> ApiClient:
    return make_client(other_practice)


def _body(answer: HttpResponse, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    found: dict[str, Any] = orjson.loads(answer.content)
    return found


def test_registering_answers_as_documented(api: ApiClient) -> None:
    body = _body(api.post("/webhooks", {"url": URL, "events": EVENTS}), 201)
    row = WebhookEndpoint.objects.get()
    assert body == {
        "id": row.public_id,
        "url": URL,
        "events": EVENTS,
        "secret": row.secret,
        "is_active": True,
        "created_at": "2026-11-18T10:04:00Z",
        "full_objects": False,
    }
    assert body["id"].startswith("wh_")
    assert body["secret"].startswith("whsec_")
    entry = JournalEntry.objects.get(action="webhook.created")
    assert (entry.actor_kind, entry.actor_id) == ("api_key", str(api.key.pk))


def test_listing_answers_as_documented_and_never_with_a_secret(api: ApiClient) -> None:
    made = _body(api.post("/webhooks", {"url": URL, "events": EVENTS}), 201)
    answer = api.get("/webhooks")
    [found] = _body(answer)["endpoints"]
    documented = {
        "id": made["id"],
        "url": URL,
        "events": EVENTS,
        "is_active": True,
        "created_at": "2026-11-18T10:04:00Z",
        "last_delivery_at": None,
        "consecutive_failures": 0,
    }
    assert found.items() >= documented.items()
    assert b"whsec_" not in answer.content
    assert b"whsec_" not in api.get(f"/webhooks/{made['id']}").content


def test_removing_answers_as_documented(api: ApiClient) -> None:
    made = _body(api.post("/webhooks", {"url": URL, "events": ["*"]}), 201)
    assert _body(api.delete(f"/webhooks/{made['id'].lower()}")) == {"success": True}
    check_error(api.delete(f"/webhooks/{made['id']}"), 404, "not_found")
    assert _body(api.get("/webhooks")) == {"endpoints": []}


@pytest.mark.parametrize(
    ("body", "code", "fields"),
    [
        ({}, "invalid", ["url", "events"]),
        ({"url": URL}, "invalid", ["events"]),
        ({"url": URL, "events": []}, "invalid", ["events"]),
        ({"url": URL, "events": "call.completed"}, "invalid", ["events"]),
        ({"url": URL, "events": [None]}, "invalid", None),
        ({"url": URL, "events": [1]}, "invalid", None),
        ({"url": URL, "events": ["call.exploded"]}, "unknown_event", ["events"]),
        ({"url": URL, "events": ["x" * 48]}, "unknown_event", ["events"]),
        ({"url": None, "events": ["*"]}, "invalid", ["url"]),
        ({"url": 5, "events": ["*"]}, "invalid", ["url"]),
        ({"url": "", "events": ["*"]}, "invalid", ["url"]),
        ({"url": "https://x.example/" + "a" * 600, "events": ["*"]}, "invalid", ["url"]),
        ({"url": "http://pms.example.com/", "events": ["*"]}, "url_not_https", ["url"]),
        ({"url": "https://10.0.0.1/", "events": ["*"]}, "url_not_public", ["url"]),
        ({"url": "https://[::ffff:10.0.0.1]/", "events": ["*"]}, "url_not_public", ["url"]),
        ({"url": "https://0x7f.1/", "events": ["*"]}, "url_host", ["url"]),
        ({"url": URL, "events": ["*"], "full_objects": "yes"}, "invalid", ["full_objects"]),
    ],
)
def test_a_bad_body_is_a_400_and_nothing_is_written(
    api: ApiClient, body: dict[str, Any], code: str, fields: list[str] | None
) -> None:
    found = check_error(api.post("/webhooks", body), 400, code)
    if fields is not None:
        assert set(found["errors"]) == set(fields)
    assert not WebhookEndpoint.objects.exists()


def test_an_unknown_event_is_answered_with_those_there_are(api: ApiClient) -> None:
    answer = api.post("/webhooks", {"url": URL, "events": ["call.exploded"]})
    found = check_error(answer, 400, "unknown_event", "events")
    assert {"*", "call.completed", "patient.deleted"} <= set(found["known_events"])


@pytest.mark.parametrize("scopes", [["read"], ["write"], ["recall"], ["read", "write", "recall"]])
def test_only_a_key_with_admin_changes_anything(
    scopes: list[str], practice: Practice, endpoint: MakeEndpoint
) -> None:
    api, one = make_client(practice, scopes), endpoint()
    at = f"/webhooks/{one.public_id}"
    for answer in (
        api.post("/webhooks", {"url": URL, "events": ["*"]}),
        api.patch(at, {"is_active": False}),
        api.delete(at),
        api.post(f"{at}/test"),
        api.post(f"{at}/rotate-secret"),
    ):
        check_error(answer, 403, "missing_scope")
    assert api.get("/webhooks").status_code == (200 if "read" in scopes else 403)
    one.refresh_from_db()
    assert one.is_active


def test_changing_turning_off_and_on(api: ApiClient, endpoint: MakeEndpoint) -> None:
    one = endpoint()
    at = f"/webhooks/{one.public_id}"
    body = _body(api.patch(at, {"events": ["call.failed"], "full_objects": True}))
    assert (body["events"], body["full_objects"], body["url"]) == (["call.failed"], True, one.url)
    off = _body(api.patch(at, {"is_active": False}))
    assert (off["is_active"], off["disabled_reason"]) == (False, "by_hand")
    on = _body(api.patch(at, {"is_active": True}))
    assert (on["is_active"], on["disabled_reason"], on["disabled_at"]) == (True, None, None)
    check_error(api.patch(at, {"is_active": None}), 400, "invalid", "is_active")
    check_error(api.patch(at, {"url": "https://127.0.0.1.:1/"}), 400, "url_host", "url")
    assert _body(api.patch(at, {})) == on


def test_rotating_answers_with_a_new_secret_and_when_the_old_one_ends(
    api: ApiClient, endpoint: MakeEndpoint
) -> None:
    one = endpoint()
    body = _body(api.post(f"/webhooks/{one.public_id}/rotate-secret"))
    old = one.secret
    one.refresh_from_db()
    assert body == {
        "id": one.public_id,
        "secret": one.secret,
        "previous_secret_expires_at": "2026-11-19T10:04:00Z",
    }
    assert endpoints.secrets_in_force(one) == [body["secret"], old]


@pytest.mark.django_db(transaction=True)
def test_a_test_event_takes_the_real_way_and_can_be_read_and_sent_again(
    api: ApiClient, endpoint: MakeEndpoint, receiver: MakeReceiver
) -> None:
    here = receiver()
    at = f"/webhooks/{endpoint(here.url).public_id}"
    queued = _body(api.post(f"{at}/test"), 202)["delivery"]
    assert (queued["event_type"], queued["status"]) == ("webhook.test", "planned")
    deliver.run()
    found = _body(api.get(f"{at}/deliveries/{queued['id']}"))
    assert (found["status"], found["response_status"], found["response"]) == (
        "delivered",
        200,
        "thanks",
    )
    assert orjson.loads(here.received[0].body) == found["request"]
    assert found["request"]["id"] == found["event_id"]
    again = _body(api.post(f"{at}/deliveries/{queued['id']}/resend"), 202)["delivery"]
    assert (again["id"], again["status"]) == (queued["id"], "planned")
    deliver.run()
    assert [got.headers["webhook-id"] for got in here.received] == [found["event_id"]] * 2


def test_the_log_is_paged_both_ways_and_filtered(
    api: ApiClient, endpoint: MakeEndpoint, happen: Happen
) -> None:
    one = endpoint()
    happen(times=3)
    fan_out.run()
    WebhookDelivery.objects.filter(pk=one.deliveries.first().pk).update(state="failed")
    at = f"/webhooks/{one.public_id}/deliveries"
    body = _body(api.get(at, {"limit": 2}))
    assert (len(body["deliveries"]), body["total"], body["limit"], body["offset"]) == (2, 3, 2, 0)
    body = _body(api.get(at, {"size": 2, "start": 3}))
    assert (len(body["data"]), body["pagination"]["total"]) == (1, 3)
    assert _body(api.get(at, {"status": "failed"}))["total"] == 1
    check_error(api.get(at, {"status": "lost"}), 400, "invalid", "status")
    check_error(api.get(at, {"limit": 501}), 400, "invalid", "limit")


def test_another_practice_sees_and_changes_nothing(
    other_api: ApiClient, endpoint: MakeEndpoint, happen: Happen
) -> None:
    one, elsewhere = endpoint(), endpoint()
    happen()
    fan_out.run()
    row = one.deliveries.get()
    at = f"/webhooks/{one.public_id}"
    for method, path in (
        ("GET", at),
        ("PATCH", at),
        ("DELETE", at),
        ("POST", f"{at}/test"),
        ("POST", f"{at}/rotate-secret"),
        ("GET", f"{at}/deliveries"),
        ("GET", f"{at}/deliveries/{row.public_id}"),
        ("POST", f"{at}/deliveries/{row.public_id}/resend"),
    ):
        body = None if method in ("GET", "DELETE") else {}
        check_error(other_api.send(method, path, body=body), 404, "not_found")
    assert _body(other_api.get("/webhooks")) == {"endpoints": []}
    mine = make_client(one.practice)
    mixed = f"/webhooks/{elsewhere.public_id}/deliveries/{row.public_id}"
    check_error(mine.get(mixed), 404, "not_found")
    check_error(mine.get(f"/webhooks/{row.public_id}"), 404, "not_found")
