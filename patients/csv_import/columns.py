"""Owns which column of an export is what: the names that practice systems give their columns,
where the header is, and which telephone column comes first. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from patients import names
from patients.csv_import.reader import Reading, Row, Unreadable

_LOOK_BELOW = 5
HEADER_WITHIN = 20
"""The header is looked for in this many rows: exports put titles and dates above it."""

ALIASES = """
first_name: first name, first names, forename, forenames, given name, given names, firstname
first_name: fname, christian name, patient first name, patient forename
last_name: last name, surname, family name, lastname, lname, patient surname, patient last name
full_name: name, full name, patient name, patient, patient full name
title: title, salutation
date_of_birth: date of birth, dob, d.o.b, birth date, birthdate, birthday, born, patient dob
phone_number: phone number, mobile, mobile phone, mobile no, mobile number, mobile tel, cell
phone_number: cell phone, tel mobile, phone mobile, patient mobile, patient phone
phone_number: phone, phone no, telephone, telephone number, telephone no, tel, tel no
phone_number: contact number, contact no, contact phone, phone 1, phone 2, telephone 1
phone_number: telephone 2, home phone, home tel, home telephone, home number, tel home
phone_number: phone home, home, landline, work phone, work tel, work telephone, work number
phone_number: tel work, phone work, daytime phone, daytime tel
email: email, e-mail, email address, e-mail address, mail, patient email
last_eye_test_date: last eye test date, last eye test, last test, last test date
last_eye_test_date: last sight test, last sight test date, last exam, last exam date
last_eye_test_date: last examination, last examination date, last eye exam
last_eye_test_date: last eye examination, last visit, last visit date, eye exam date
last_eye_test_date: start date, date of last test, date of last eye test, date last seen
last_eye_test_date: last seen, last st
pms_recall_date: recall due date, recall, recall date, next recall, next recall date
pms_recall_date: next test due, next test, next test date, due date, due, next due
pms_recall_date: next visit, next exam due
risk_category: risk category, risk, recall type, recall category, category, patient type
risk_category: clinical risk, condition, conditions
nhs_number: nhs number, nhs no, nhs #, nhs, chi number, chi
external_id: external id, pms id, patient id, patient no, patient number, px no, px id
external_id: px number, record no, record number, ref, reference, patient ref, account no, id
clinical_notes: clinical notes
own_interval_months: recall interval, interval, interval months, recall months, months
voice_ok: phone ok, call ok, calls ok, telephone ok, voice ok, phone consent, consent phone
voice_ok: consent voice, consent call, contact by phone, phone agreed
sms_ok: sms ok, text ok, texts ok, sms, sms consent, consent sms, text consent, consent text
sms_ok: sms agreed, contact by sms, contact by text
whatsapp_ok: whatsapp ok, whatsapp consent, consent whatsapp, whatsapp, contact by whatsapp
email_ok: email ok, e-mail ok, email consent, consent email, email agreed, contact by email
no_contact: no contact, do not contact, dnc, opted out, opt out, optout, contact opt out
no_contact: unsubscribed, stop contact
no_voice: do not call, do not phone, no calls, no phone calls
deceased: deceased, died, date of death, rip, dod
"""
FIELDS: Mapping[str, str] = {
    names.key(alias): line.partition(": ")[0]
    for line in ALIASES.strip().splitlines()
    for alias in line.partition(": ")[2].split(", ")
}
CONSENTS = {"voice_ok": "voice", "sms_ok": "sms", "whatsapp_ok": "whatsapp", "email_ok": "email"}
_NAMES = {"first_name", "last_name", "full_name"}
_CONTACTS = {"phone_number", "email"}


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each field is. ``phones`` are all telephone columns, mobile first, work last."""

    header: Row
    at: dict[str, int]
    phones: list[int] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Found:
    """A header row and the reading it was found in."""

    header: Row
    reading: Reading

    def below(self) -> Iterator[Row]:
        """The rows below the header. Printed exports repeat it on each page: left out."""
        again = [cell.casefold() for cell in self.header.cells]
        first = self.header.cells[0].casefold()
        for row in self.reading.rows():
            if row.number <= self.header.number:
                continue
            cells = row.cells
            if cells[0].casefold() == first and [cell.casefold() for cell in cells] == again:
                continue
            yield row


def find(readings: Sequence[Reading]) -> Found:
    """The header: the row, near the top, that names most fields, among them a name and a way of
    contact. Raises Unreadable with the names that were seen.
    """
    return _recognised(_heads(readings)) or _refuse(readings)


def locate(readings: Sequence[Reading]) -> Found:
    """As ``find``, for a file whose columns a person will match: where no header is recognised, the
    first row of words above fuller ones is taken for it.
    """
    heads = _heads(readings)
    return _recognised(heads) or _guessed(heads) or _refuse(readings)


def _heads(readings: Sequence[Reading]) -> list[tuple[Reading, list[Row]]]:
    """The first rows of each reading; one that the wrong delimiter breaks is no reading. Raises
    Unreadable where none can be read.
    """
    heads: list[tuple[Reading, list[Row]]] = []
    problem: Unreadable | None = None
    for reading in readings:
        rows: list[Row] = []
        try:
            rows.extend(islice(reading.rows(), HEADER_WITHIN + _LOOK_BELOW))
        except Unreadable as error:
            problem = problem or error
            if reading is not readings[0]:
                continue
        heads.append((reading, rows))
    if problem is not None and not any(rows for _, rows in heads):
        raise problem
    return heads


def _recognised(heads: Sequence[tuple[Reading, list[Row]]]) -> Found | None:
    best: tuple[int, Found] | None = None
    for reading, rows in heads:
        for row in rows[:HEADER_WITHIN]:
            known = [name for cell in row.cells if (name := field_of(cell))]
            if not (set(known) & _NAMES and set(known) & _CONTACTS):
                continue
            if best is None or len(known) > best[0]:
                best = (len(known), Found(row, reading))
    return best[1] if best else None


def _guessed(heads: Sequence[tuple[Reading, list[Row]]]) -> Found | None:
    for reading, rows in heads:
        for place, row in enumerate(rows[:HEADER_WITHIN]):
            if _could_be_header(row, rows[place + 1 : place + 1 + _LOOK_BELOW]):
                return Found(row, reading)
    return None


def _could_be_header(row: Row, below: Sequence[Row]) -> bool:
    """Words without digits, each once, above rows that are no longer and have numbers in them."""
    cells = row.cells
    return (
        len(cells) > 1
        and len({cell.casefold() for cell in cells}) == len(cells)
        and all(any(char.isalpha() for char in cell) for cell in cells)
        and not any(char in "0123456789@" for cell in cells for char in cell)
        and bool(below)
        and max(len(line.cells) for line in below) <= len(cells)
        and any(char.isdigit() for line in below for cell in line.cells for char in cell)
    )


def _refuse(readings: Sequence[Reading]) -> Found:
    seen = next((rows[0].cells for _, rows in _heads(readings) if rows), [])
    shown = ", ".join(cell[:30] for cell in seen[:8]) or "nothing"
    raise Unreadable(
        "No header row was found: one row must name the columns, among them first_name (or name) "
        f"and phone_number or email. The first row has: {shown}."
    )


def mapped(header: Row, fields: Mapping[int, str]) -> Columns:
    """The columns as somebody has matched them: field by place."""
    found = Columns(header, {})
    ranked: list[tuple[int, int]] = []
    for place, cell in enumerate(header.cells):
        name = fields.get(place)
        if name == "phone_number":
            ranked.append((_phone_rank(cell), place))
        elif not name or name in found.at:
            found.unused.append(cell)
        else:
            found.at[name] = place
    found.phones.extend(place for _, place in sorted(ranked))
    return found


def columns_of(header: Row) -> Columns:
    """The columns that a header names. Of two columns for one field the first counts."""
    found = Columns(header, {})
    ranked: list[tuple[int, int]] = []
    for place, cell in enumerate(header.cells):
        name = field_of(cell)
        if name == "phone_number":
            ranked.append((_phone_rank(cell), place))
        elif name is None or name in found.at:
            found.unused.append(cell)
        else:
            found.at[name] = place
    found.phones.extend(place for _, place in sorted(ranked))
    return found


def field_of(cell: str) -> str | None:
    """The field that a column name means, whatever its case, spaces and punctuation."""
    return FIELDS.get(names.key(cell)) if len(cell) <= 60 else None


def _phone_rank(cell: str) -> int:
    key = names.key(cell)
    if "mob" in key or "cell" in key:
        return 0
    if "work" in key or "daytime" in key:
        return 3
    return 2 if "home" in key or "landline" in key else 1
