"""The sandbox's patients: who answers a number or an address, and what their phone shows.

It knows nothing of wires; the servers tell it what happened.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from integrations.sandbox.personas import PERSONAS, Persona, persona_for, with_replies
from integrations.sandbox.resources import Call

DRAMA_MOBILE = "+447700900"
EXAMPLE_DOMAIN = re.compile(r"(^|\.)example(\.(org|com|net))?$")
Kind = Literal["call", "sms", "whatsapp", "email", "note"]


@dataclass(kw_only=True)
class Entry:
    """One thing on a patient's phone. `from_patient` tells which side it is on."""

    at: datetime
    kind: Kind
    text: str = ""
    from_patient: bool = False
    status: str = ""
    subject: str = ""
    call: Call | None = None
    mail_id: int | None = None
    attachments: list[str] = field(default_factory=list)


@dataclass(kw_only=True)
class Person:
    """One patient, known by the phone number, or by the address when there is no number."""

    key: str
    persona: Persona
    email: str = ""
    name: str = ""
    entries: list[Entry] = field(default_factory=list)
    practice_number: str = ""
    has_booked: bool = False
    has_stopped: bool = False
    carrier_played: bool = False
    last_order: int = 0

    @property
    def shown(self) -> bool:
        """False for somebody whom nothing has reached yet and nobody has named."""
        return bool(self.entries or self.name)


class People:
    """Everybody whom the product has tried to reach.

    An email belongs to a number when somebody said so (`POST /people`), when six digits or more in
    the address end a number that is known, or when an address of an example domain ends in the last
    digits of one of Ofcom's drama numbers, as the demo's do: mail to `anna.smith.7@example.org` and
    to `anna.900007@example.org` reaches the person on +447700900007.
    """

    def __init__(self) -> None:
        self.by_key: dict[str, Person] = {}
        self._order = 0
        self.numbers_of_mail: dict[str, str] = {}

    def of_number(self, number: str) -> Person:
        if number not in self.by_key:
            self.by_key[number] = Person(key=number, persona=persona_for(number))
        return self.by_key[number]

    def of_email(self, address: str) -> Person:
        address = address.lower()
        number = self.numbers_of_mail.get(address) or self._number_in(address)
        person = self.of_number(number or address)
        person.email = address
        return person

    def add(self, person: Person, entry: Entry) -> None:
        """Put something on a person's phone, and the person on top of the list."""
        self._order += 1
        person.last_order = self._order
        person.entries.append(entry)

    def introduce(self, *, number: str, email: str = "", name: str = "") -> Person:
        """Say that a number and an address are one person's."""
        person = self.of_number(number)
        person.email, person.name = email.lower() or person.email, name or person.name
        if email:
            self.numbers_of_mail[email.lower()] = number
        return person

    def set_persona(self, number: str, wish: dict[str, Any]) -> Person:
        """`wish`: `persona` (two digits), or `replies`, one per question, on top of it.

        A reply has `say`, `keys`, `confidence`, or is `{"silence": true}` or `{"hang_up": true}`.
        """
        person = self.of_number(number)
        code = str(wish.get("persona") or "")
        if code and code not in PERSONAS:
            raise KeyError(code)
        base = PERSONAS[code] if code else person.persona
        person.persona = with_replies(base, wish["replies"]) if wish.get("replies") else base
        person.carrier_played = False
        return person

    def _number_in(self, address: str) -> str:
        local, _, domain = address.partition("@")
        digits = "".join(re.findall(r"\d", local))
        if len(digits) >= 6 and (number := self._known(digits.lstrip("0"))):
            return number
        if len(digits) == 6 and digits.startswith("900"):
            return DRAMA_MOBILE + digits[3:]
        ending = re.search(r"\.(\d{1,3})$", local)
        if ending is None or not EXAMPLE_DOMAIN.search(domain):
            return ""
        last = ending[1].zfill(3)
        mobile = DRAMA_MOBILE + last
        return mobile if mobile in self.by_key else self._known(last) or mobile

    def _known(self, ending: str) -> str:
        return next((n for n in self.by_key if n.startswith("+") and n.endswith(ending)), "")
