"""Owns the rule that says which record a set of patient details belongs to. Pure.

Families share telephone numbers, so a number alone must never merge two people whom a system's own
id, or the names in one export, tell apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from patients import names


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """The facts that tell people apart; empty text and None mean unknown."""

    first_name: str = ""
    last_name: str = ""
    external_id: str = ""
    phone_number: str = ""
    email: str = ""
    date_of_birth: date | None = None

    def has_the_name_of(self, other: "Person") -> bool:
        return names.key(self.first_name) == names.key(other.first_name) and names.key(
            self.last_name
        ) == names.key(other.last_name)

    def was_born_otherwise(self, other: "Person") -> bool:
        """Whether both dates of birth are known and differ."""
        both = self.date_of_birth is not None and other.date_of_birth is not None
        return both and self.date_of_birth != other.date_of_birth


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record of the practice that shares the id, the number or the address."""

    id: UUID
    person: Person


@dataclass(frozen=True, slots=True)
class Match:
    """``id`` of the record to update, or None to create one; ``conflict`` lists the records between
    which the details do not decide (then nothing may be written)."""

    id: UUID | None = None
    conflict: tuple[UUID, ...] = field(default=())


CREATE = Match()


def match(
    person: Person,
    candidates: Sequence[Candidate],
    *,
    household: bool = False,
    careful: bool = False,
) -> Match:
    """Where the details belong.

    With an external id it is the key; a record without one, that shares number and names, takes it
    on. Else the number is the key: one record with it is updated, of several the names decide.
    Without a number the address and the names together are the key.

    ``household``: the same file gives this number to people of different names, so names decide
    even where one record has it, and an unknown name is a new patient. ``careful``: a record of
    another name and another date of birth is not overwritten.
    """
    if person.external_id:
        return _by_external_id(person, candidates)
    if not person.phone_number:
        return _by_email(person, candidates)
    sharing = [c for c in candidates if c.person.phone_number == person.phone_number]
    if not sharing:
        return CREATE
    if len(sharing) == 1 and not household:
        known = sharing[0]
        if (
            careful
            and not known.person.has_the_name_of(person)
            and known.person.was_born_otherwise(person)
        ):
            return Match(conflict=(known.id,))
        return Match(known.id)
    return _by_name(person, sharing, unknown_is_new=household)


def _by_external_id(person: Person, candidates: Sequence[Candidate]) -> Match:
    for candidate in candidates:
        if candidate.person.external_id == person.external_id:
            return Match(candidate.id)
    unclaimed = [
        candidate
        for candidate in candidates
        if not candidate.person.external_id
        and _shares_contact(candidate.person, person)
        and candidate.person.has_the_name_of(person)
        and not candidate.person.was_born_otherwise(person)
    ]
    return Match(unclaimed[0].id) if len(unclaimed) == 1 else CREATE


def _shares_contact(one: Person, other: Person) -> bool:
    if other.phone_number:
        return one.phone_number == other.phone_number
    return bool(other.email) and one.email == other.email


def _by_email(person: Person, candidates: Sequence[Candidate]) -> Match:
    sharing = [c for c in candidates if person.email and c.person.email == person.email]
    return _by_name(person, sharing, unknown_is_new=True)


def _by_name(person: Person, sharing: Sequence[Candidate], *, unknown_is_new: bool) -> Match:
    namesakes = [c for c in sharing if c.person.has_the_name_of(person)]
    if len(namesakes) > 1:
        namesakes = [
            c
            for c in namesakes
            if person.date_of_birth is not None and c.person.date_of_birth == person.date_of_birth
        ] or namesakes
    if len(namesakes) == 1:
        return Match(namesakes[0].id)
    if not namesakes and unknown_is_new:
        return CREATE
    return Match(conflict=tuple(c.id for c in (namesakes or sharing)))
