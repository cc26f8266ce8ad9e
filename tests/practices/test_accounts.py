"""Signing in: verified address only, reset by email, second factors, and out by POST."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.core import mail
from django.core.cache import cache
from django.test import Client, override_settings

from practices import team
from practices.journal import Actor
from practices.models import Practice, Role, User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _no_limits_left_over() -> None:
    """allauth counts tries in the cache, which outlives a test."""
    cache.clear()


@pytest.fixture
def ann(practice: Practice) -> User:
    user, _ = team.add_person(
        practice=practice,
        email="ann@example.org",
        role=Role.OWNER,
        password=PASSWORD,
        actor=Actor.operator("test"),
    )
    return user


def _sign_in(client: Client, email: str = "ann@example.org", password: str = PASSWORD) -> Any:
    return client.post("/accounts/login/", {"login": email, "password": password})


def _confirm(client: Client) -> None:
    """The password once more, which adding a second factor asks for."""
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})


def _is_in(client: Client) -> bool:
    return client.get("/patients").status_code == 200


def test_the_owner_signs_in_and_sees_the_practice(ann: User, client: Client) -> None:
    answer = _sign_in(client, "ANN@example.org")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert _is_in(client)


def test_an_unverified_address_is_asked_to_verify(ann: User, client: Client) -> None:
    EmailAddress.objects.update(verified=False)
    answer = _sign_in(client)
    assert answer["Location"].startswith("/accounts/confirm-email/")
    assert not _is_in(client)
    [message] = mail.outbox
    link = re.search(r"http://\S+(/accounts/confirm-email/\S+/)", message.body)
    assert link is not None
    client.post(link[1])
    assert EmailAddress.objects.get().verified


def test_an_unknown_address_and_a_wrong_password_look_the_same(ann: User, client: Client) -> None:
    def said(answer: Any) -> bytes:
        body = re.sub(rb'(value|nonce)="[^"]*"', b"", answer.content)
        return bytes(body)

    wrong = _sign_in(client, password="wrong horse battery")
    unknown = _sign_in(client, email="eve@example.org")
    assert wrong.status_code == unknown.status_code == 200
    assert said(wrong) == said(unknown)
    assert not _is_in(client)


def test_guessing_is_slowed_down(ann: User, client: Client) -> None:
    for _ in range(12):
        _sign_in(client, password="wrong horse battery")
    _sign_in(client)
    assert not _is_in(client)


def test_somebody_deactivated_cannot_sign_in(ann: User, client: Client) -> None:
    _sign_in(client)
    User.objects.update(is_active=False)
    assert not _is_in(client)
    again = Client()
    _sign_in(again)
    assert not _is_in(again)


def test_nobody_signs_up(client: Client) -> None:
    form = {"email": "eve@example.org", "password1": PASSWORD, "password2": PASSWORD}
    assert client.get("/accounts/signup/").status_code == 200
    client.post("/accounts/signup/", form)
    assert not User.objects.exists()


def test_a_forgotten_password_is_reset_by_email(ann: User, client: Client) -> None:
    client.post("/accounts/password/reset/", {"email": "ann@example.org"})
    [message] = mail.outbox
    assert message.to == ["ann@example.org"]
    link = re.search(r"http://\S+(/accounts/password/reset/key/\S+/)", message.body)
    assert link is not None
    form_page = client.get(link[1], follow=True)
    new = "a different horse entirely"
    path = form_page.redirect_chain[-1][0]
    client.post(path, {"password1": new, "password2": new})
    assert _sign_in(Client(), password=PASSWORD).status_code == 200
    assert _sign_in(Client(), password=new).status_code == 302
    client.post(path, {"password1": PASSWORD, "password2": PASSWORD})
    assert _sign_in(Client(), password=PASSWORD).status_code == 200


def test_a_reset_for_an_unknown_address_says_the_same(ann: User, client: Client) -> None:
    known = client.post("/accounts/password/reset/", {"email": "ann@example.org"})
    unknown = client.post("/accounts/password/reset/", {"email": "eve@example.org"})
    assert known["Location"] == unknown["Location"]


def test_signing_out_takes_a_post(ann: User, client: Client) -> None:
    _sign_in(client)
    client.get("/accounts/logout/")
    assert _is_in(client)
    client.post("/accounts/logout/")
    assert not _is_in(client)


def test_an_old_cookie_is_dead_after_signing_out(ann: User, client: Client) -> None:
    _sign_in(client)
    old = client.cookies["sessionid"].value
    client.post("/accounts/logout/")
    thief = Client()
    thief.cookies["sessionid"] = old
    assert not _is_in(thief)


def test_the_session_is_renewed_by_signing_in(ann: User, client: Client) -> None:
    client.get("/accounts/login/")
    before = client.cookies.get("sessionid")
    _sign_in(client)
    assert before is None or client.cookies["sessionid"].value != before.value


def test_changing_the_password_ends_every_session(ann: User, client: Client) -> None:
    elsewhere = Client()
    _sign_in(client)
    _sign_in(elsewhere)
    new = "a different horse entirely"
    client.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": new, "password2": new},
    )
    assert not _is_in(elsewhere)


def test_a_second_factor_is_set_up_and_asked_for(ann: User, client: Client) -> None:
    _sign_in(client)
    asked = client.get("/accounts/2fa/totp/activate/")
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    _confirm(client)
    assert client.get("/accounts/2fa/totp/activate/").status_code == 200
    secret = client.session[totp.SECRET_SESSION_KEY]
    code = totp.format_hotp_value(
        totp.hotp_value(secret, next(totp.yield_hotp_counters_from_time()))
    )
    client.post("/accounts/2fa/totp/activate/", {"code": code})
    assert Authenticator.objects.filter(user=ann, type="totp").exists()
    other = Client()
    answer = _sign_in(other)
    assert answer["Location"].startswith("/accounts/2fa/authenticate/")
    assert not _is_in(other)
    other.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert not _is_in(other)


def test_a_code_works_once(ann: User) -> None:
    secret = totp.generate_totp_secret()
    authenticator = totp.TOTP.activate(ann, secret)
    code = totp.format_hotp_value(
        totp.hotp_value(secret, next(totp.yield_hotp_counters_from_time()))
    )
    first, second = Client(), Client()
    for client in (first, second):
        _sign_in(client)
        client.post("/accounts/2fa/authenticate/", {"code": code})
    assert _is_in(first)
    assert not _is_in(second)
    assert authenticator.instance.user == ann


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/2fa/",
        "/accounts/2fa/webauthn/",
        "/accounts/2fa/webauthn/add/",
        "/accounts/2fa/totp/activate/",
        "/accounts/sessions/",
        "/accounts/email/",
        "/accounts/password/change/",
    ],
)
def test_the_pages_of_ones_account_load(path: str, ann: User, client: Client) -> None:
    assert client.get(path).status_code == 302
    _sign_in(client)
    _confirm(client)
    assert client.get(path).status_code == 200


def test_operators_sign_in_through_the_ordinary_door(ann: User, client: Client) -> None:
    """Django's own admin form would take a password alone."""
    User.objects.update(is_staff=True, is_superuser=True)
    totp.TOTP.activate(ann, totp.generate_totp_secret())
    client.post("/operator/login/", {"username": "ann@example.org", "password": PASSWORD})
    answer = client.get("/operator/", follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/login/")
    _sign_in(client)
    assert client.get("/operator/").status_code == 302


def test_operators_need_a_second_factor_in_a_live_installation(ann: User, client: Client) -> None:
    client.force_login(ann)
    assert client.get("/operator/").status_code == 302
    User.objects.update(is_staff=True, is_superuser=True)
    assert client.get("/operator/").status_code == 200
    with override_settings(LIVE=True, SECURE_SSL_REDIRECT=False):
        assert client.get("/operator/").status_code == 302
        totp.TOTP.activate(ann, totp.generate_totp_secret())
        assert client.get("/operator/").status_code == 200
