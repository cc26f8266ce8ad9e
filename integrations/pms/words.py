"""What people are told when a practice management system could not be reached or read. Pure."""

from collections.abc import Mapping

_FAILURES: Mapping[str, str] = {
    "auth": "{name} does not accept this key. Check that it was copied whole, that it is switched"
    " on in {name}, and that it may read patients and appointments.",
    "no_address": "Enter the address of {name}’s API. Your vendor tells you which it is.",
    "unreachable": "Nothing answers at the address of {name}. Check the address, and that the"
    " system is running.",
    "bad_certificate": "The certificate at the address of {name} cannot be trusted. Ask your"
    " vendor.",
    "timeout": "{name} did not answer within 15 seconds. Try again in a minute.",
    "slow_down": "{name} asks us to slow down. Try again in a few minutes.",
    "server_error": "{name} has a fault of its own. Try again in a few minutes, and tell your"
    " vendor if it goes on.",
    "broken_answer": "What answers there does not speak as {name} does. Check the address and the"
    " version.",
    "too_large": "What answers there does not speak as {name} does: its answer has no end.",
    "broken_connection": "{name} broke the connection off. Try again in a minute.",
    "redirect": "The address leads on to another one. Enter the address of {name}’s API itself.",
    "not_found": "What answers there has no such page. Check the address of {name}’s API.",
    "refused": "{name} refused the question. Check the address and the version.",
    "bad_url": "This is not an address that can be used. It must start with https://.",
    "url_not_https": "The address must start with https://.",
    "url_not_public": "The address is not on the public internet, so nothing is sent there.",
    "url_host": "The address must name a host in plain letters, or a plain number.",
    "url_port": "Use port 443 or 8443.",
    "url_has_user": "The address must not hold a user name or password.",
}
_OF_THE_KEY = frozenset({"auth"})
_OF_THE_ADDRESS = frozenset(
    {
        "no_address",
        "unreachable",
        "bad_certificate",
        "redirect",
        "not_found",
        "bad_url",
        "url_not_https",
        "url_not_public",
        "url_host",
        "url_port",
        "url_has_user",
    }
)


def failure(code: str, name: str) -> str:
    """A sentence or two; for a code that is not known, one that fits every failure."""
    return _FAILURES.get(code, "{name} did not answer as it should. Try again in a minute.").format(
        name=name
    )


def field_of(code: str) -> str:
    """The field of the form that the failure is about; blank for none."""
    if code in _OF_THE_KEY:
        return "api_key"
    return "base_url" if code in _OF_THE_ADDRESS else ""
