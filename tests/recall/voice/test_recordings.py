"""A refused recording is stopped at the carrier, and a call that is over is no error; one that was
not refused can be heard.
"""

from __future__ import annotations

import pytest

from integrations.twilio import client
from recall.voice import recordings, tasks
from sightsync.lib.errors import AppError, ProviderError

pytestmark = pytest.mark.django_db
Kind = ProviderError.Kind


def test_the_carrier_is_asked_to_stop_this_calls_recording(line, monkeypatch) -> None:
    stopped: list[str] = []
    monkeypatch.setattr(client, "stop_recording", lambda *, account, sid: stopped.append(sid))
    tasks.stop_recording(line.attempt.public_id)
    assert stopped == [line.attempt.provider_ref]


@pytest.mark.parametrize(("kind", "raises"), [(Kind.REJECTED, False), (Kind.UNKNOWN, True)])
def test_only_an_unknown_outcome_is_tried_again(line, monkeypatch, kind, raises) -> None:
    def refuse(**_facts: object) -> None:
        raise ProviderError(kind, "no")

    monkeypatch.setattr(client, "stop_recording", refuse)
    if raises:
        with pytest.raises(ProviderError):
            recordings.stop(attempt_id=line.attempt.pk)
    else:
        assert recordings.stop(attempt_id=line.attempt.pk) is False


def test_the_real_request_reaches_the_carrier(line, sandbox) -> None:
    assert recordings.stop(attempt_id=line.attempt.pk) is False
    asked = [row for row in sandbox.log("twilio") if "Recordings/Twilio.CURRENT" in row["path"]]
    assert [row["params"]["Status"] for row in asked] == ["stopped"]


@pytest.mark.parametrize(
    ("recording", "dialogue"),
    [("", {}), ("RE" + "1" * 32, {"recording_declined": True})],
)
def test_what_was_refused_or_never_made_is_not_fetched(line, recording, dialogue) -> None:
    line.attempt.recording, line.attempt.dialogue = recording, dialogue
    with pytest.raises(AppError) as refused:
        recordings.sound(line.attempt)
    assert (refused.value.status, refused.value.code) == (404, "no_recording")


@pytest.mark.parametrize(
    ("kind", "status"), [(Kind.REJECTED, 404), (Kind.TEMPORARY, 503), (Kind.UNKNOWN, 503)]
)
def test_a_carrier_that_fails_is_told_from_one_that_has_nothing(
    line, monkeypatch, kind, status
) -> None:
    def fail(**_facts: object) -> bytes:
        raise ProviderError(kind, "no")

    monkeypatch.setattr(client, "fetch_recording", fail)
    line.attempt.recording = "RE" + "1" * 32
    with pytest.raises(AppError) as failed:
        recordings.sound(line.attempt)
    assert failed.value.status == status
