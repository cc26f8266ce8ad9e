"""The mail client against the sandbox's mail server."""

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from integrations.email import client
from integrations.email.client import Accepted, Attachment, Server
from sightsync.lib.errors import ProviderError
from tests.sandbox import Sandbox

Kind = ProviderError.Kind


def send(server: Server, **changes: Any) -> Accepted:
    given: dict[str, Any] = {
        "to": "tom@example.org",
        "from_": "Acuity Opticians <recall@sightsync.example>",
        "subject": "Your eye examination, Tom – it’s time",
        "text": "Hello Tom\n.\n.. dots\nBye",
        "message_id": "att_1@sightsync.example",
        **changes,
    }
    return client.send(server=server, **given)


@pytest.fixture
def server(sandbox: Sandbox) -> Server:
    return client.server_for(sandbox=True)


def test_a_message_arrives_whole(sandbox: Sandbox, server: Server) -> None:
    accepted = send(
        server,
        html="<p>Hello <b>Tom</b></p>",
        reply_to="hello@acuity.example",
        headers={"List-Unsubscribe": "<https://x.example/o/1>"},
        attachments=[
            Attachment(
                name="a.ics",
                content=b"BEGIN:VCALENDAR",
                content_type="text/calendar; method=PUBLISH",
            )
        ],
    )
    [mail] = sandbox.mails_to("tom@example.org")
    assert accepted.message_id == "att_1@sightsync.example"
    assert mail["message_id"] == "<att_1@sightsync.example>"
    assert mail["subject"] == "Your eye examination, Tom – it’s time"
    assert mail["text"].splitlines() == ["Hello Tom", ".", ".. dots", "Bye"]
    assert "<b>Tom</b>" in mail["html"]
    assert mail["attachments"] == ["a.ics"]
    assert mail["headers"]["List-Unsubscribe"] == "<https://x.example/o/1>"
    [row] = sandbox.log("mail")
    assert (row["method"], row["status"], row["params"]["to"]) == (
        "DATA",
        250,
        ["tom@example.org"],
    )


@pytest.mark.parametrize(
    ("mode", "more", "kind", "code", "kept"),
    [
        ("429", {}, Kind.TEMPORARY, "451", 0),
        ("500", {}, Kind.REJECTED, "554", 0),
        ("drop_after_accept", {}, Kind.UNKNOWN, "broken_connection", 1),
        ("drop_before_accept", {}, Kind.UNKNOWN, "broken_connection", 0),
        ("broken_json", {}, Kind.UNKNOWN, "broken_answer", 1),
        ("delay", {"seconds": 0.5}, Kind.UNKNOWN, "broken_connection", 1),
    ],
)
def test_a_fault_is_taken_for_what_it_is(
    sandbox: Sandbox,
    server: Server,
    mode: str,
    more: dict[str, Any],
    kind: ProviderError.Kind,
    code: str,
    kept: int,
) -> None:
    sandbox.fault("mail", mode, **more)
    with pytest.raises(ProviderError) as failure:
        send(server, timeout_s=0.2 if mode == "delay" else 10)
    assert (failure.value.kind, failure.value.code) == (kind, code)
    assert len(sandbox.mails_to("tom@example.org")) == kept


def test_an_unknown_recipient_is_refused(sandbox: Sandbox, server: Server) -> None:
    with pytest.raises(ProviderError) as failure:
        send(server, to="refused@example.org")
    assert (failure.value.kind, failure.value.code) == (Kind.REJECTED, "550")
    assert [row["status"] for row in sandbox.log("mail")] == [550]


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "Hello\r\nBcc: everybody@example.org"},
        {"to": ""},
        {"to": "Tom"},
        {"headers": {"X-Odd": "a\nb"}},
    ],
)
def test_a_bad_header_never_leaves(
    sandbox: Sandbox, server: Server, changes: dict[str, Any]
) -> None:
    with pytest.raises(ProviderError) as failure:
        send(server, **changes)
    assert (failure.value.kind, failure.value.code) == (Kind.REJECTED, "bad_header")
    assert sandbox.log("mail") == []


def test_a_server_that_is_not_there_has_taken_nothing() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(ProviderError) as failure:
            send(Server(host="127.0.0.1", port=unused.getsockname()[1]))
    assert (failure.value.kind, failure.value.code) == (Kind.TEMPORARY, "unreachable")


@pytest.fixture
def talker() -> Iterator[Callable[[list[bytes]], Server]]:
    """A mail server that says the given lines, one per line it hears, then hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))
    threads: list[threading.Thread] = []

    def serve(lines: list[bytes]) -> None:
        connection, _ = listener.accept()
        with connection:
            for line in lines:
                connection.sendall(line + b"\r\n")
                connection.recv(4096)

    def start(lines: list[bytes]) -> Server:
        thread = threading.Thread(target=serve, args=(lines,))
        thread.start()
        threads.append(thread)
        return Server(host="127.0.0.1", port=listener.getsockname()[1])

    yield start
    for thread in threads:
        thread.join(5)
    listener.close()


@pytest.mark.parametrize(
    ("lines", "kind"),
    [
        ([b"554 go away"], Kind.TEMPORARY),
        ([b"220 hi", b"250 ok"], Kind.TEMPORARY),
        ([b"220 hi", b"250 ok", b"451 not you"], Kind.TEMPORARY),
        ([b"220 hi", b"250 ok", b"250 ok", b"450 greylisted"], Kind.TEMPORARY),
        ([b"220 hi", b"250 ok", b"250 ok", b"250 ok", b"what"], Kind.TEMPORARY),
        ([b"220 hi", b"250 ok", b"250 ok", b"250 ok", b"354 go"], Kind.UNKNOWN),
    ],
)
def test_only_after_the_content_left_is_nothing_known(
    talker: Callable[[list[bytes]], Server], lines: list[bytes], kind: ProviderError.Kind
) -> None:
    with pytest.raises(ProviderError) as failure:
        send(talker(lines), timeout_s=2)
    assert failure.value.kind is kind


@pytest.mark.parametrize(
    ("url", "host", "port", "security"),
    [
        ("smtp://mail.example", "mail.example", 25, "none"),
        ("smtp+tls://u%40x:p%2F@mail.example", "mail.example", 587, "starttls"),
        ("smtp+ssl://mail.example:4650", "mail.example", 4650, "tls"),
    ],
)
def test_the_address_of_a_server_is_read(url: str, host: str, port: int, security: str) -> None:
    server = client.server_at(url)
    assert (server.host, server.port, server.security) == (host, port, security)
    assert "p/" not in repr(server)


def test_an_address_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="EMAIL_URL"):
        client.server_at("http://mail.example")
