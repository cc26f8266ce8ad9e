"""Nothing on this machine or its network is reached through a webhook, however it is asked for."""

import pytest

from integrations.webhooks import deliver, fan_out, resend
from practices.models import Practice
from tests.integrations.webhooks.conftest import ACTOR, Happen, MakeEndpoint, MakeReceiver
from tests.integrations.webhooks.receiver import answering

pytestmark = pytest.mark.django_db(transaction=True)


def _send() -> int:
    fan_out.run()
    return deliver.run()


def test_a_redirect_to_this_machine_is_never_followed(
    endpoint: MakeEndpoint, happen: Happen, receiver: MakeReceiver
) -> None:
    inside = receiver()
    statuses = (301, 302, 303, 307, 308)
    made = [
        endpoint(receiver(answering(status, headers={"Location": inside.url})).url)
        for status in statuses
    ]
    happen()
    _send()
    assert [one.deliveries.get().error for one in made] == ["redirect"] * len(statuses)
    assert inside.connects == 0


def test_a_name_that_points_inside_when_it_is_sent_is_not_connected_to(
    endpoint: MakeEndpoint, happen: Happen, receiver: MakeReceiver, monkeypatch
) -> None:
    """Public when saved, this machine when sent: DNS rebinding. Retry, test and resend as well."""
    here = receiver()
    points_to = {"addresses": ["93.184.215.14"]}
    monkeypatch.setattr(
        "integrations.webhooks.addresses.resolver", lambda host, port: points_to["addresses"]
    )
    monkeypatch.setattr("integrations.webhooks.addresses.PORTS", (443, 8443, here.port))
    one = endpoint(f"https://rebind.example.com:{here.port}/hook")
    for inside in ("127.0.0.1", "::1", "::ffff:127.0.0.1"):
        points_to["addresses"] = ["93.184.215.14", inside]
        happen()
        resend.test(endpoint=one, actor=ACTOR)
        _send()
        for row in one.deliveries.all():
            resend.again(delivery=row, actor=ACTOR)
        _send()
    assert set(one.deliveries.values_list("error", flat=True)) == {"url_not_public"}
    assert here.connects == 0


def test_without_the_check_when_sending_a_rebound_name_is_connected_to(
    endpoint: MakeEndpoint,
    happen: Happen,
    receiver: MakeReceiver,
    monkeypatch,
    short_deadline: None,
) -> None:
    """The guard off: the table lets everything through."""
    here = receiver()
    monkeypatch.setattr(
        "integrations.webhooks.addresses.resolver", lambda host, port: ["127.0.0.1"]
    )
    monkeypatch.setattr("integrations.webhooks.addresses.PORTS", (443, 8443, here.port))
    monkeypatch.setattr("integrations.webhooks.addresses.is_public", lambda address: True)
    endpoint(f"https://rebind.example.com:{here.port}/hook")
    happen()
    _send()
    assert here.connects == 1


def test_a_live_practice_reaches_nothing_on_this_machine(
    practice: Practice, endpoint: MakeEndpoint, happen: Happen, receiver: MakeReceiver
) -> None:
    here = receiver()
    one = endpoint(here.url)
    practice.mode = "live"
    practice.save(update_fields=["mode"])
    happen()
    _send()
    assert one.deliveries.get().error == "url_not_https"
    assert here.connects == 0


def test_proxies_of_the_environment_are_not_used(
    endpoint: MakeEndpoint, happen: Happen, receiver: MakeReceiver, monkeypatch
) -> None:
    proxy, here = receiver(), receiver()
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    endpoint(here.url)
    happen()
    _send()
    assert (len(here.received), proxy.connects) == (1, 0)
