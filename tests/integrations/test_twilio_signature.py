import pytest
from django.http import QueryDict

from integrations.twilio import signature

# Twilio's published example, https://www.twilio.com/docs/usage/security
URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
PARAMS = {
    "CallSid": "CA1234567890ABCDE",
    "Caller": "+14158675309",
    "Digits": "1234",
    "From": "+14158675309",
    "To": "+18005551212",
}
TOKEN = "12345"
SIGNATURE = "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def verify(**changes: object) -> bool:
    given = {"url": URL, "params": PARAMS, "signature": SIGNATURE, "token": TOKEN, **changes}
    return signature.verify(**given)  # type: ignore[arg-type]


def test_the_published_example_is_accepted() -> None:
    assert verify()


def test_a_query_dict_is_accepted_as_it_comes() -> None:
    form = QueryDict(mutable=True)
    form.update(PARAMS)
    assert verify(params=form)


def test_our_own_signature_is_the_published_one() -> None:
    assert signature.sign(url=URL, params=PARAMS, token=TOKEN) == SIGNATURE


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": None},
        {"signature": ""},
        {"signature": SIGNATURE[:-2] + "9="},
        {"token": ""},
        {"token": "54321"},
        {"url": URL + "/"},
        {"url": URL.replace("https", "http")},
        {"url": ""},
        {"params": {**PARAMS, "Digits": "9"}},
        {"params": {**PARAMS, "Extra": ""}},
        {"params": {}},
    ],
)
def test_anything_else_is_refused(changes: dict[str, object]) -> None:
    assert not verify(**changes)


def test_a_body_that_is_no_form_fails_closed() -> None:
    assert not verify(params={})
