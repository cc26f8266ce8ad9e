"""Developer, Webhooks: the pages."""

import pytest
from django.test import Client

from integrations.models import DisabledReason, WebhookDelivery, WebhookEndpoint
from integrations.webhooks import deliver, endpoints, fan_out
from practices.models import User
from tests.integrations.webhooks.conftest import ACTOR, Happen, MakeEndpoint, MakeReceiver

pytestmark = pytest.mark.django_db
BASE = "/developer/webhooks"
NEW = {"endpoint_id": "0198a3c2-9d5e-7c11-8f3a-1b2c3d4e5f60"}


@pytest.fixture
def web(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


def _page(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_webhook_is_added_and_its_secret_shown_once(web: Client) -> None:
    assert "No webhook yet" in _page(web, BASE)
    form = {**NEW, "url": "http://127.0.0.1:9/hook", "events": ["call.completed", "call.failed"]}
    answer = web.post(f"{BASE}/new", form)
    row = WebhookEndpoint.objects.get()
    assert row.events == ["call.completed", "call.failed"]
    assert row.secret in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    for path in (BASE, f"{BASE}/{row.public_id}", f"{BASE}/{row.public_id}/edit"):
        assert "whsec_" not in _page(web, path)


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({}, "Enter the address"),
        ({"url": "https://10.0.0.1/", "everything": "on"}, "not on the public internet"),
        ({"url": "http://127.0.0.1:9/"}, "Choose at least one event"),
        ({"url": "http://127.0.0.1:9/", "events": ["no.such"]}, "Select a valid choice"),
        ({"url": "http://127.0.0.1:9/", "endpoint_id": ""}, "Start again from the webhooks"),
    ],
)
def test_a_wrong_form_says_what_is_wrong(web: Client, form: dict, says: str) -> None:
    answer = web.post(f"{BASE}/new", {**NEW, **form})
    assert answer.status_code == 400
    assert says in answer.content.decode()
    assert not WebhookEndpoint.objects.exists()


def test_forms_that_are_sent_twice_make_one_webhook_and_one_new_secret(web: Client) -> None:
    fresh = web.get(f"{BASE}/new").context["form"]["endpoint_id"].value()
    form = {"endpoint_id": fresh, "url": "http://127.0.0.1:9/hook", "everything": "on"}
    first = web.post(f"{BASE}/new", form).context["secret"]
    again = web.post(f"{BASE}/new", form, follow=True).content.decode()
    row = WebhookEndpoint.objects.get()
    assert row.secret == first
    assert "was added before" in again
    rotate = f"{BASE}/{row.public_id}/rotate"
    form = {"rotation": web.get(rotate).context["rotation"]}
    second = web.post(rotate, form).context["secret"]
    again = web.post(rotate, form, follow=True).content.decode()
    row.refresh_from_db()
    assert (row.secret, row.previous_secret) == (second, first)
    assert "was changed and shown before" in again
    assert "whsec_" not in again


def test_the_receptionist_has_no_business_here(bob: User, endpoint: MakeEndpoint) -> None:
    client = Client()
    client.force_login(bob)
    assert client.get(BASE).status_code == 403
    assert client.post(f"{BASE}/{endpoint().public_id}/test").status_code == 403


def test_it_is_changed_turned_off_and_on_and_removed(web: Client, endpoint: MakeEndpoint) -> None:
    one = endpoint()
    at = f"{BASE}/{one.public_id}"
    web.post(f"{at}/edit", {"url": one.url, "events": ["call.failed"], "full_objects": "on"})
    web.post(f"{at}/disable")
    one.refresh_from_db()
    assert (one.events, one.full_objects, one.is_active) == (["call.failed"], True, False)
    assert "Somebody in your practice turned it off" in _page(web, at)
    web.post(f"{at}/enable")
    one.refresh_from_db()
    assert one.is_active
    assert "Make a new secret?" in _page(web, f"{at}/rotate")
    answer = web.post(f"{at}/rotate", {"rotation": "first"})
    one.refresh_from_db()
    assert one.secret in answer.content.decode()
    assert "Remove this webhook?" in _page(web, f"{at}/delete")
    web.post(f"{at}/delete")
    assert not WebhookEndpoint.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_test_event_and_its_answer_are_shown(
    web: Client, endpoint: MakeEndpoint, receiver: MakeReceiver
) -> None:
    one = endpoint(receiver().url)
    answer = web.post(f"{BASE}/{one.public_id}/test")
    row = WebhookDelivery.objects.get()
    assert answer["Location"] == f"{BASE}/{one.public_id}/deliveries/{row.public_id}"
    deliver.run()
    page = _page(web, answer["Location"])
    assert "webhook.test" in page
    assert "thanks" in page
    assert "Delivered" in page
    assert "webhook.test" in _page(web, f"{BASE}/{one.public_id}")


def test_what_a_receiver_answers_is_shown_as_text(
    web: Client, endpoint: MakeEndpoint, happen: Happen
) -> None:
    one = endpoint()
    happen()
    fan_out.run()
    WebhookDelivery.objects.update(
        state="failed", response_status=500, response_excerpt="<img src=x onerror=alert(1)>"
    )
    row = one.deliveries.get()
    page = _page(web, f"{BASE}/{one.public_id}/deliveries/{row.public_id}")
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_failed_ones_are_filtered_and_sent_again_one_or_all(
    web: Client, endpoint: MakeEndpoint, happen: Happen
) -> None:
    one = endpoint()
    happen(times=3)
    fan_out.run()
    WebhookDelivery.objects.update(state="failed", error="timeout", tries=[
        {"at": "2026-11-18T10:04:00Z", "status": None, "ms": 10000, "error": "timeout"}
    ])  # fmt: skip
    at = f"{BASE}/{one.public_id}"
    assert "Resend 3 failed deliveries" in _page(web, f"{at}?state=failed")
    row = one.deliveries.first()
    assert "did not answer within 10 seconds" in _page(web, f"{at}/deliveries/{row.public_id}")
    web.post(f"{at}/deliveries/{row.public_id}/resend")
    assert one.deliveries.filter(state="planned").count() == 1
    web.post(f"{at}/resend-failed")
    assert one.deliveries.filter(state="planned").count() == 3


def test_one_that_fails_says_why(web: Client, endpoint: MakeEndpoint, happen: Happen) -> None:
    one = endpoint()
    happen()
    fan_out.run()
    WebhookDelivery.objects.update(state="waiting", error="name_not_found")
    assert "stands for no machine" not in _page(web, f"{BASE}/{one.public_id}")
    WebhookEndpoint.objects.update(failing_since=one.created_at, consecutive_failures=1)
    assert "stands for no machine" in _page(web, f"{BASE}/{one.public_id}")


def test_one_that_was_turned_off_for_failing_says_so(web: Client, endpoint: MakeEndpoint) -> None:
    one = endpoint()
    endpoints.disable(endpoint=one, reason=DisabledReason.FAILING, actor=ACTOR)
    assert "Every delivery failed for 5 days" in _page(web, f"{BASE}/{one.public_id}")
