"""The sentence about a call that staff read."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recall.voice import summary
from recall.voice.conversation import Intent, IntentKind, OfferedSlot, Window
from tests.recall.voice.test_properties import CLINICAL

MOMENT = datetime(2026, 11, 24, 14, 30, tzinfo=UTC)
REPORTED = set(IntentKind) - {
    IntentKind.IDENTITY_CONFIRMED, IntentKind.RECORDING_DECLINED, IntentKind.FIND_SLOTS,
    IntentKind.BOOK,
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(REPORTED))
def test_every_end_has_a_sentence_without_a_clinical_word(kind: IntentKind) -> None:
    said = summary.of(Intent(kind))
    assert said.endswith(".")
    assert not CLINICAL.search(said)


def test_every_reason_of_the_dialogue_has_its_own_sentence() -> None:
    source = Path(summary.__file__).with_name("dialogue.py").read_text(encoding="utf-8")
    reasons = re.findall(r'staff\("(\w+)"\)', source)
    assert reasons
    for reason in reasons:
        said = summary.of(Intent(IntentKind.NEEDS_STAFF, reason=reason))
        assert said != summary.of(Intent(IntentKind.NEEDS_STAFF)), reason


def test_times_are_said_as_on_the_phone() -> None:
    slot = OfferedSlot("a", MOMENT)
    assert summary.of(Intent(IntentKind.BOOK, slot=slot)) == "Booked Tuesday 24 November at 2:30pm."
    window = Window(MOMENT, MOMENT)
    said = summary.of(Intent(IntentKind.CALL_BACK, window=window))
    assert said == "Asked to be rung from Tuesday 24 November at 2:30pm."
