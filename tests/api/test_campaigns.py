"""GET /campaigns/{id}: a run that can be read back."""

import pytest

from patients.models import Patient
from recall.campaigns import run
from recall.campaigns.selection import Choice
from sightsync.lib import ids
from tests import engine

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(practice, alice):
    engine.register()
    engine.patient(practice, "+447700900001")
    nobody = engine.patient(practice, "+447700900002")
    Patient.objects.filter(pk=nobody.pk).update(opted_out_at=nobody.created_at)
    return run.start(
        practice=practice,
        choice=Choice(),
        name="Everybody due",
        start_token=ids.new(),
        user=alice,
        actor=engine.ACTOR,
    )


def test_says_how_far_it_has_come(api, campaign) -> None:
    body = api.get(f"/campaigns/{campaign.public_id}").json()["campaign"]
    assert body["id"] == campaign.public_id
    assert (body["name"], body["status"]) == ("Everybody due", "running")
    assert body["started_at"] == "2026-11-18T10:04:00Z"
    assert body["ended_at"] is None
    assert (body["patients"], body["open"], body["by_state"]) == (1, 1, {"due": 1})
    assert body["funnel"] == {"due": 1, "contacted": 0, "reached": 0, "booked": 0, "attended": 0}
    assert body["left_out"] == [{"code": "opted_out", "reason": "Opted out", "count": 1}]
    assert api.get(f"/campaigns/{campaign.pk}").json()["campaign"] == body


def test_anothers_and_malformed_ids_are_404(api, other_api, campaign, assert_error) -> None:
    assert_error(other_api.get(f"/campaigns/{campaign.public_id}"), 404, "not_found")
    for missing in ("x", ids.encode("cmp", ids.new()), ids.encode("pat", campaign.pk)):
        assert_error(api.get(f"/campaigns/{missing}"), 404, "not_found")
