"""The connection goes to the checked address; the name stays in Host and in the certificate."""

import datetime
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from integrations.webhooks import addresses, deliver, fan_out, post
from sightsync.lib import clock
from tests.integrations.webhooks.conftest import Happen, MakeEndpoint, MakeReceiver

pytestmark = pytest.mark.django_db(transaction=True)
NAME = "pms.example.com"


def _certificate(folder: Path, name: str) -> Path:
    """A key and a certificate for `name` that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = clock.real_now()
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "both.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@pytest.mark.parametrize(
    ("certified", "trusted", "error"),
    [
        (NAME, True, ""),
        ("another.example.com", True, "bad_certificate"),
        ("127.0.0.1", True, "bad_certificate"),
        (NAME, False, "bad_certificate"),
    ],
)
def test_the_certificate_must_be_for_the_name_and_from_an_authority(
    certified: str,
    trusted: bool,
    error: str,
    tmp_path: Path,
    endpoint: MakeEndpoint,
    happen: Happen,
    receiver: MakeReceiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pem = _certificate(tmp_path, certified)
    asked_for: list[str | None] = []
    here = receiver()
    here.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    here.tls.load_cert_chain(pem)
    here.tls.sni_callback = lambda connection, name, context: asked_for.append(name)
    monkeypatch.setattr(addresses, "resolver", lambda host, port: ["127.0.0.1"])
    monkeypatch.setattr(addresses, "is_public", lambda address: True)
    monkeypatch.setattr(addresses, "PORTS", (here.port,))
    if trusted:
        monkeypatch.setattr(post, "_trusted", lambda: ssl.create_default_context(cafile=str(pem)))
    one = endpoint(f"https://{NAME}:{here.port}/hook?key=1")
    happen()
    fan_out.run()
    deliver.run()

    assert one.deliveries.get().error == error
    assert asked_for == [NAME]
    if not error:
        [got] = here.received
        assert (got.path, got.headers["Host"]) == ("/hook?key=1", f"{NAME}:{here.port}")
    else:
        assert here.received == []


def test_when_the_first_address_does_not_answer_the_next_is_tried(
    endpoint: MakeEndpoint,
    happen: Happen,
    receiver: MakeReceiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here = receiver()
    monkeypatch.setattr(addresses, "resolver", lambda host, port: ["::1", "127.0.0.1"])
    one = endpoint(f"http://localhost:{here.port}/hook")
    happen()
    fan_out.run()
    deliver.run()
    assert one.deliveries.get().state == "delivered"
    assert here.received[0].headers["Host"] == f"localhost:{here.port}"
