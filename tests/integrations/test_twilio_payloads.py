import pytest

from integrations.twilio import payloads

CALL = "CA" + "0" * 32
TEXT = "SM" + "0" * 32


@pytest.mark.parametrize(
    ("word", "status", "final"),
    [
        ("queued", "queued", False),
        ("initiated", "queued", False),
        ("ringing", "ringing", False),
        ("in-progress", "answered", False),
        ("completed", "completed", True),
        ("busy", "busy", True),
        ("no-answer", "no_answer", True),
        ("failed", "failed", True),
        ("canceled", "failed", True),
    ],
)
def test_call_statuses_become_ours(word: str, status: str, final: bool) -> None:
    event = payloads.call_event({"CallSid": CALL, "CallStatus": word, "CallDuration": "38"})
    assert (event.status, event.is_final, event.word, event.duration_s) == (status, final, word, 38)


@pytest.mark.parametrize("params", [{}, {"CallSid": CALL}, {"CallSid": CALL, "CallStatus": "odd"}])
def test_a_call_event_that_says_nothing_is_refused(params: dict[str, str]) -> None:
    with pytest.raises(payloads.PayloadError):
        payloads.call_event(params)


@pytest.mark.parametrize(
    ("word", "machine"),
    [
        ("human", False),
        ("unknown", False),
        ("", False),
        ("machine_start", True),
        ("machine_end_beep", True),
        ("machine_end_silence", True),
        ("machine_end_other", True),
        ("fax", True),
    ],
)
def test_doubt_counts_as_a_person(word: str, machine: bool) -> None:
    assert payloads.answered_by({"CallSid": CALL, "AnsweredBy": word}).is_machine is machine


@pytest.mark.parametrize(
    ("confidence", "read"),
    [("0.9", 0.9), ("0.00000000", 0.0), ("", None), ("high", None), ("7", None), ("nan", None)],
)
def test_a_turn_reads_confidence_or_nothing(confidence: str, read: float | None) -> None:
    turn = payloads.turn({"CallSid": CALL, "SpeechResult": " Yes. ", "Confidence": confidence})
    assert (turn.speech, turn.confidence, turn.is_silence) == ("Yes.", read, False)


def test_an_empty_turn_is_silence() -> None:
    assert payloads.turn({"CallSid": CALL, "Digits": "", "SpeechResult": ""}).is_silence


@pytest.mark.parametrize("word", sorted(payloads.MESSAGE_STATUSES))
def test_every_message_status_has_a_rank(word: str) -> None:
    event = payloads.message_event({"MessageSid": TEXT, "MessageStatus": word})
    assert event.status in payloads.MESSAGE_RANK


def test_a_failed_message_says_why_in_words() -> None:
    event = payloads.message_event(
        {"SmsSid": TEXT, "SmsStatus": "undelivered", "ErrorCode": "30005"}
    )
    assert event.reason == "The number does not exist any more."
    assert payloads.failure_reason("12345") == "The network refused it (code 12345)."
    assert payloads.failure_reason("") == "The network gave no reason."


def test_an_inbound_whatsapp_is_told_by_its_prefix() -> None:
    message = payloads.inbound_message(
        {
            "MessageSid": TEXT,
            "From": "whatsapp:+447700900116",
            "To": "whatsapp:+441184960001",
            "Body": "STOP",
            "NumMedia": "0",
        }
    )
    assert (message.channel, message.from_, message.to, message.body) == (
        "whatsapp",
        "+447700900116",
        "+441184960001",
        "STOP",
    )


def test_an_inbound_message_without_a_sender_is_refused() -> None:
    with pytest.raises(payloads.PayloadError, match="From"):
        payloads.inbound_message({"MessageSid": TEXT, "To": "+441184960001"})


def test_an_inbound_call_from_a_withheld_number_is_read() -> None:
    call = payloads.inbound_call({"CallSid": CALL, "To": "+441184960001", "Digits": "9"})
    assert (call.from_, call.digits) == ("", "9")
