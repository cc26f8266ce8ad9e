"""Owns which column of an export is what: the names that practice systems give their columns,
where the header is, and which telephone column comes first. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from patients import names
from patients.csv_import.reader import Row, Unreadable

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


def find(readings: Sequence[Sequence[Row]]) -> tuple[Columns, list[Row]]:
    """The columns and the rows below them, from the reading in which a header is recognised.

    The header is the row, near the top, that names most fields, among them a name and a way of
    contact. Raises Unreadable with the names that were seen.
    """
    best: tuple[int, Row, list[Row]] | None = None
    for rows in readings:
        for place, row in enumerate(rows[:HEADER_WITHIN]):
            known = [name for cell in row.cells if (name := field_of(cell))]
            if not (set(known) & _NAMES and set(known) & _CONTACTS):
                continue
            if best is None or len(known) > best[0]:
                best = (len(known), row, list(rows[place + 1 :]))
    if best is None:
        raise Unreadable(_no_header(readings))
    header, below = best[1], best[2]
    return columns_of(header), [row for row in below if not _is_header_again(row, header)]


def locate(readings: Sequence[Sequence[Row]]) -> tuple[Row, list[Row]]:
    """As ``find``, for a file whose columns a person will match: where no header is recognised, the
    first row of words above longer ones is taken for it. Raises Unreadable where there is none.
    """
    try:
        found, rows = find(readings)
    except Unreadable:
        for reading in readings:
            for place, row in enumerate(reading[:HEADER_WITHIN]):
                if _could_be_header(row, reading[place + 1 : place + 6]):
                    below = list(reading[place + 1 :])
                    return row, [line for line in below if not _is_header_again(line, row)]
        raise
    return found.header, rows


def _could_be_header(row: Row, below: Sequence[Row]) -> bool:
    words = [cell for cell in row.cells if cell]
    return (
        len(words) > 1
        and len(words) == len(row.cells)
        and len({cell.casefold() for cell in words}) == len(words)
        and not any(char.isdigit() or char == "@" for cell in words for char in cell[-4:])
        and any(any(char.isdigit() for cell in line.cells for char in cell) for line in below)
        and max((len(line.cells) for line in below), default=0) <= len(words)
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


def _is_header_again(row: Row, header: Row) -> bool:
    """Printed exports repeat the header on each page."""
    return [cell.casefold() for cell in row.cells] == [cell.casefold() for cell in header.cells]


def _no_header(readings: Sequence[Sequence[Row]]) -> str:
    seen = next((row.cells for rows in readings for row in rows[:1]), [])
    shown = ", ".join(cell[:30] for cell in seen[:8]) or "nothing"
    return (
        "No header row was found: one row must name the columns, among them first_name (or name) "
        f"and phone_number or email. The first row has: {shown}."
    )
