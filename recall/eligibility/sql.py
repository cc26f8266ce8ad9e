"""The one query that reads the facts of patients, and the parts it is put together from.

It gives facts, never answers: which instants still count is asked with the same spans that the
rules use, everything else is a column as it stands. Placeholders are bound by `gather`; nothing
but the constants of this file ever becomes part of the text.
"""

from string import Template

from recall.eligibility.facts import CAP_CALLS, CHANNEL_BITS, PHONE_KINDS, offsets
from recall.models import Channel
from recall.models.appointments import LIVE_APPOINTMENT
from recall.models.attempts import LIVE_STATES

ALL_CHANNELS = sum(CHANNEL_BITS.values())


def _in(values: "tuple[str, ...]") -> str:
    return ", ".join(f"'{value}'" for value in values)


def _kinds() -> str:
    known = [f"WHEN '{kind}' THEN {number}" for number, kind in enumerate(PHONE_KINDS) if kind]
    return f"CASE p.phone_kind {' '.join(known)} ELSE 7 END"


def _channels(array: str) -> str:
    return " + ".join(
        f"CASE WHEN '{channel}' = ANY({array}) THEN {bit} ELSE 0 END"
        for channel, bit in CHANNEL_BITS.items()
    )


# Each part of the signature as an integer. The columns that are almost always empty stand behind
# one test of all of them, for a summary puts this question to a million rows.
_COMMON = {
    "phone_kind": f"CASE WHEN p.phone_number = '' THEN 0 ELSE {_kinds()} END",
    "tps_listing": "COALESCE(p.tps_listing, 4)::int",
    "phone_is_drama": "p.phone_is_drama::int",
    "has_email": "CASE WHEN p.email = '' THEN 0 ELSE 1 END",
    "due": "CASE WHEN p.next_clinical_due_date <= %(today)s THEN 1 ELSE 0 END",
}
_JOINED = {
    "appointment_ahead": "CASE WHEN own.starts_at IS NULL THEN 0 ELSE 1 END",
    "call_under_way": "CASE WHEN own.ringing OR shared.ringing THEN 1 ELSE 0 END",
    "called_in_24_hours": (
        "CASE WHEN GREATEST(own.last_at, shared.last_at) > %(spacing)s THEN 1 ELSE 0 END"
    ),
    "called_3_times_in_30_days": (
        "CASE WHEN own.third_at IS NULL AND shared.third_at IS NULL THEN 0 ELSE 1 END"
    ),
    "suppressed_on": "(COALESCE(number.channels, 0) | COALESCE(address.channels, 0))",
}
_NOTHING_JOINED = (
    "own.ringing IS NULL AND shared.ringing IS NULL"
    " AND number.channels IS NULL AND address.channels IS NULL"
)
_RARE = {
    "asked_for_later": "CASE WHEN p.not_before > %(now)s THEN 1 ELSE 0 END",
    "archived": "(p.archived_at IS NOT NULL)::int",
    "deceased": "(p.deceased_at IS NOT NULL)::int",
    "erased": "(p.erased_at IS NOT NULL)::int",
    "opted_out": "(p.opted_out_at IS NOT NULL)::int",
    "phone_is_wrong": "(p.phone_wrong_at IS NOT NULL)::int",
    "email_bounced": "(p.email_bounced_at IS NOT NULL)::int",
    "opted_out_of": f"({_channels('p.opted_out_channels')})",
}
_NOTHING_RARE = (
    "COALESCE(p.archived_at, p.deceased_at, p.erased_at, p.opted_out_at, p.phone_wrong_at,"
    " p.email_bounced_at, p.not_before) IS NULL AND cardinality(p.opted_out_channels) = 0"
)


def _placed(parts: "dict[str, str]") -> str:
    return " | ".join(f"(({text}) << {offsets()[name]})" for name, text in parts.items())


SIGNATURE_SQL = (
    f"({_placed(_COMMON)}"
    f" | CASE WHEN {_NOTHING_JOINED} THEN 0 ELSE {_placed(_JOINED)} END"
    f" | CASE WHEN {_NOTHING_RARE} THEN 0 ELSE {_placed(_RARE)} END)"
)

# Calls to somebody: the latest, and the one that the cap counts from.
_CALLS = Template(
    """
    SELECT $keys max(submitted_at) AS last_at,
        (array_agg(submitted_at ORDER BY submitted_at DESC))[$cap] AS third_at,
        false AS ringing, NULL::timestamptz AS starts_at
    FROM recall_attempt
    WHERE $whose AND channel = '$voice' AND submitted_at > %(window)s
        AND id IS DISTINCT FROM %(leaving_out)s
    $grouped"""
)
# The same for counting: only those whom a rule holds back, so that a million patients are joined
# to a small table; which instant it is does not matter then.
_CALLS_THAT_COUNT = Template(
    """
    SELECT $keys max(submitted_at) AS last_at,
        CASE WHEN count(*) >= $cap THEN min(submitted_at) END AS third_at,
        false AS ringing, NULL::timestamptz AS starts_at
    FROM recall_attempt
    WHERE $whose AND channel = '$voice' AND submitted_at > %(window)s
    $grouped
    HAVING max(submitted_at) > %(spacing)s OR count(*) >= $cap"""
)
_RINGING = Template(
    """
    SELECT $keys NULL, NULL, true, NULL
    FROM recall_attempt
    WHERE $whose AND channel = '$voice' AND state IN ($live)
        AND id IS DISTINCT FROM %(leaving_out)s"""
)
_AHEAD = Template(
    """
    SELECT $keys NULL, NULL, false, starts_at
    FROM recall_appointment
    WHERE $whose AND status IN ($booked) AND starts_at > %(now)s"""
)
_TOGETHER = Template(
    """
    SELECT $keys max(last_at) AS last_at, max(third_at) AS third_at, bool_or(ringing) AS ringing,
        min(starts_at) AS starts_at
    FROM ($parts) parts
    $grouped"""
)
_SUPPRESSED = Template(
    """
    SELECT $keys bit_or($bits) AS channels
    FROM patients_suppression
    WHERE $whose AND kind = '$kind' AND lifted_at IS NULL
    $grouped"""
)
_CHANNEL_OF_ROW = (
    f"CASE channel WHEN 'all' THEN {ALL_CHANNELS} "
    + " ".join(f"WHEN '{channel}' THEN {bit}" for channel, bit in CHANNEL_BITS.items())
    + " ELSE 0 END"
)


def _contacts(parts: "tuple[Template, ...]", keys: str, whose: str, grouped: str) -> str:
    """What there is with somebody, a row each: by patient, or by number."""
    texts = [
        part.substitute(
            keys=keys,
            whose=whose,
            grouped=grouped,
            cap=CAP_CALLS,
            live=_in(LIVE_STATES),
            booked=_in(LIVE_APPOINTMENT),
            voice=Channel.VOICE.value,
        )
        for part in parts
    ]
    return _TOGETHER.substitute(keys=keys, parts=" UNION ALL ".join(texts), grouped=grouped)


def _suppressed(kind: str, keys: str, whose: str, grouped: str) -> str:
    return _SUPPRESSED.substitute(
        keys=keys, whose=whose, grouped=grouped, kind=kind, bits=_CHANNEL_OF_ROW
    )


# For whole practices: every side is aggregated once and joined by hash. Never write these as
# anti-joins on a grouped sub-query: the planner expects one row of it and picks nested loops that
# do not end (measured: no answer in seven minutes for a million patients).
_PRACTICES = "practice_id = ANY(%(practices)s)"
_BY_PATIENT = ("patient_id,", _PRACTICES, "GROUP BY patient_id")
_BY_NUMBER = (
    "practice_id, destination,",
    f"{_PRACTICES} AND destination <> ''",
    "GROUP BY practice_id, destination",
)
_BY_HASH = ("practice_id, hash,", _PRACTICES, "GROUP BY practice_id, hash")


def _joins(calls: Template) -> str:
    return f"""
LEFT JOIN ({_contacts((calls, _RINGING, _AHEAD), *_BY_PATIENT)}) own ON own.patient_id = p.id
LEFT JOIN ({_contacts((calls, _RINGING), *_BY_NUMBER)}) shared
    ON shared.practice_id = p.practice_id AND shared.destination = p.phone_number
LEFT JOIN ({_suppressed("phone", *_BY_HASH)}) number
    ON number.practice_id = p.practice_id AND number.hash = p.phone_hash
LEFT JOIN ({_suppressed("email", *_BY_HASH)}) address
    ON address.practice_id = p.practice_id AND address.hash = p.email_hash"""


JOINS_AT_ONCE = _joins(_CALLS)

# For one patient or a few: every side is looked up by its index, row by row.
_OF_PATIENT = ("", "practice_id = p.practice_id AND patient_id = p.id", "")
_OF_NUMBER = (
    "",
    "practice_id = p.practice_id AND destination = p.phone_number AND p.phone_number <> ''",
    "",
)
JOINS_EACH = f"""
LEFT JOIN LATERAL ({_contacts((_CALLS, _RINGING, _AHEAD), *_OF_PATIENT)}) own ON true
LEFT JOIN LATERAL ({_contacts((_CALLS, _RINGING), *_OF_NUMBER)}) shared ON true
LEFT JOIN LATERAL ({
    _suppressed("phone", "", "practice_id = p.practice_id AND hash = p.phone_hash", "")
}) number ON true
LEFT JOIN LATERAL ({
    _suppressed("email", "", "practice_id = p.practice_id AND hash = p.email_hash", "")
}) address ON true"""

_ROWS = Template(
    """
SELECT p.id, $signature, own.starts_at, GREATEST(own.last_at, shared.last_at),
    GREATEST(own.third_at, shared.third_at), p.not_before, p.next_clinical_due_date$more
FROM patients_patient p $joins
WHERE $which"""
)

_SOME = "p.practice_id = ANY(%(practices)s) AND p.id = ANY(%(patients)s)"

ROWS_OF_PRACTICE = _ROWS.substitute(
    signature=SIGNATURE_SQL,
    joins=JOINS_AT_ONCE,
    which="p.practice_id = ANY(%(practices)s)",
    more="",
)
ROWS_OF_MANY = _ROWS.substitute(signature=SIGNATURE_SQL, joins=JOINS_AT_ONCE, which=_SOME, more="")
ROWS_OF_FEW = _ROWS.substitute(signature=SIGNATURE_SQL, joins=JOINS_EACH, which=_SOME, more="")
# One patient, with the number as it is now, to be looked up in the register itself.
ROW_OF_ONE = _ROWS.substitute(
    signature=SIGNATURE_SQL,
    joins=JOINS_EACH,
    which="p.practice_id = ANY(%(practices)s) AND p.id = %(patient)s",
    more=", p.phone_number",
)

COUNTS = Template(
    """
SELECT p.practice_id, $signature AS bits, count(*)
FROM patients_patient p $joins
WHERE p.practice_id = ANY(%(practices)s)
GROUP BY p.practice_id, bits"""
).substitute(signature=SIGNATURE_SQL, joins=_joins(_CALLS_THAT_COUNT))
