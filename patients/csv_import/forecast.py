"""Owns what an import would do, before it does it: how many records it would make and change, how
many of the people can be reached, and why not the rest. It writes nothing but the answer.
"""

import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from patients import assigning, phone
from patients.csv_import import apply, bulk, drafts, mapping
from patients.csv_import.bulk import Known, New
from patients.csv_import.check import ALL_CHANNELS, Checked
from patients.csv_import.survey import Survey, is_left_out
from patients.models import ImportRun, ImportState
from patients.records import What
from patients.suppressions import CHANNELS
from practices.journal import Actor
from practices.models import Practice
from sightsync.lib import clock, crypto, jobs
from sightsync.lib.errors import AppError

JOB = "patients.tasks.check_import"
AT_ONCE = 2000
"""So many rows are reckoned while the person waits; more in a job."""
LEASE = timedelta(seconds=90)
_EXAMPLE_FRAMES = 3
_KINDS = {What.CREATED: "new", What.UPDATED: "updated", What.UNCHANGED: "unchanged"}


def check(*, run: ImportRun, actor: Actor) -> None:
    """Reckon what the import would do; `run.forecast` has the answer when its `state` is `ready`.
    The rows with problems are known then, too. Raises AppError 409 once the import has started, 400
    while columns are not matched.
    """
    if not drafts.is_matched(run):
        raise AppError("not_matched", "Match the columns first.", 400)
    with transaction.atomic():
        locked = drafts.open_draft(run)
        locked.forecast = {"state": "working", "progress": 0, "stamp": secrets.token_hex(8)}
        locked.lease_until = clock.real_now() + LEASE
        locked.save(update_fields=["forecast", "lease_until"])
        if locked.rows_total > AT_ONCE:
            jobs.enqueue(JOB, str(locked.pk))
    if locked.rows_total <= AT_ONCE:
        work_out(locked.pk)
    run.refresh_from_db()


@bulk.undisturbed()
def work_out(key: UUID) -> None:
    """The job: survey the file, foresee each frame, write the answer down, unless the draft was
    changed meanwhile.
    """
    run = (
        ImportRun.objects.select_related("practice")
        .filter(pk=key, state=ImportState.DRAFT, forecast__state="working")
        .first()
    )
    if run is None:
        return
    found = drafts.survey(run)
    told = _Telling(run)
    found.run(lambda rows: told.at(rows * 50 // run.rows_total))
    answer = _foresee(run, found, told)
    with transaction.atomic():
        if told.write({**answer, "state": "ready", "progress": 100}, lease=None):
            drafts.keep_bad_rows(run, found)


def give_up(key: UUID) -> None:
    """The forecast cannot be made; the import still can."""
    ImportRun.objects.filter(
        pk=key, state=ImportState.DRAFT, lease_until__lt=clock.real_now()
    ).update(forecast={"state": "failed"}, lease_until=None)


class _Telling:
    """Writes down how far the forecast is, as long as it is still wanted."""

    def __init__(self, run: ImportRun) -> None:
        self.key = run.pk
        self.stamp = run.forecast["stamp"]
        self.percent = 0
        self.said = clock.real_now()

    def at(self, percent: int) -> None:
        now = clock.real_now()
        if percent > self.percent and now - self.said > timedelta(seconds=1):
            self.percent, self.said = percent, now
            self.write({"state": "working", "progress": percent}, lease=now + LEASE)

    def write(self, forecast: dict[str, Any], lease: Any) -> bool:
        mine = ImportRun.objects.filter(
            pk=self.key, state=ImportState.DRAFT, forecast__stamp=self.stamp
        )
        return bool(mine.update(forecast={**forecast, "stamp": self.stamp}, lease_until=lease))


def _foresee(run: ImportRun, found: Survey, told: _Telling) -> dict[str, Any]:
    counts: Counter[str] = Counter(dict.fromkeys(("new", "updated", "unchanged"), 0))
    reach = _Reach()
    done = 0
    for rows, foreseen in frames(run.practice, found):
        for row, placed, record in zip(
            rows, foreseen.applied.placed, foreseen.records, strict=True
        ):
            if placed.what is not None and record is not None:
                counts[_KINDS[placed.what]] += 1
                reach.add(row, record)
            else:
                counts["left_out" if is_left_out(row) else "rejected"] += 1
        done += len(rows)
        told.at(50 + done * 50 // max(run.rows_total, 1))
    return {
        **counts,
        "rejected": counts["rejected"],
        "left_out": counts["left_out"],
        "unknown_risks": found.unknown_risks,
        "contactable": reach.contactable,
        "reasons": dict(reach.reasons),
    }


def frames(practice: Practice, found: Survey) -> Iterator[tuple[list[Checked], apply.Foreseen]]:
    """Each frame's rows with what would become of them."""
    ahead = apply.Ahead(found.is_named_again)
    for place in range(len(found.packed)):
        rows = found.frame(place)
        yield rows, apply.foresee(practice=practice, rows=rows, source="csv", ahead=ahead)


class _Reach:
    """Who can be reached at all, and why not the rest: a first reason for each."""

    def __init__(self) -> None:
        self.contactable = 0
        self.reasons: Counter[str] = Counter()
        self.seen: set[UUID] = set()

    def add(self, row: Checked, record: Known | New) -> None:
        if record.id in self.seen:
            return
        self.seen.add(record.id)
        code = _why_not(row, record)
        if code:
            self.reasons[code] += 1
        else:
            self.contactable += 1


def _why_not(row: Checked, record: Known | New) -> str:
    """Why nobody may or can contact the patient, "" when somebody can. Eligibility, which alone
    decides, may still say not now.
    """
    facts = vars(record)
    if row.deceased or facts["deceased_at"] is not None:
        return "deceased"
    if facts["archived_at"] is not None:
        return "archived"
    if facts["opted_out_at"] is not None:
        suppressed = facts["opted_out_source"] in (assigning.SUPPRESSED, "erasure")
        return "suppressed" if suppressed else "opted_out"
    if ALL_CHANNELS in row.opt_outs:
        return "opted_out"
    ways = _ways(facts)
    if not ways:
        return _no_way(facts)
    return "" if ways - {*facts["opted_out_channels"], *row.opt_outs} else "opted_out"


def _ways(facts: dict[str, Any]) -> set[str]:
    ways = set()
    number = facts["phone_number"] and facts["phone_wrong_at"] is None
    if number and phone.can_ring(facts["phone_kind"]) and not facts["tps_listing"]:
        ways.add("voice")
    if number and phone.can_text(facts["phone_kind"]):
        ways.update(channel for channel in CHANNELS if channel in ("sms", "whatsapp"))
    if facts["email"] and facts["email_bounced_at"] is None:
        ways.add("email")
    return ways


def _no_way(facts: dict[str, Any]) -> str:
    if facts["phone_number"] and facts["phone_wrong_at"] is not None:
        return "phone_wrong"
    if facts["tps_listing"]:
        return "tps_listed"
    return "no_contact"


# --- examples -----------------------------------------------------------------------------------


def examples(run: ImportRun, limit: int = 5) -> list[dict[str, Any]]:
    """Some patients whom the import would change: `patient` is the name, `changes` are tuples of
    the field's label, what is there and what would be.
    """
    found = drafts.survey(run)
    found.frames = found.frames[:_EXAMPLE_FRAMES]
    found.run()
    shown: list[dict[str, Any]] = []
    for _rows, foreseen in frames(run.practice, found):
        for known, changed in foreseen.changed.values():
            if changes := _changes(known, sorted(changed)):
                shown.append({"patient": _name(known), "changes": changes})
            if len(shown) == limit:
                return shown
    return shown


def _name(known: Known) -> str:
    return f"{known.stored('first_name')} {known.stored('last_name')}".strip()


def _changes(known: Known, changed: Sequence[str]) -> list[tuple[str, str, str]]:
    labels = mapping.labels()
    changes = []
    for name in changed:
        if name not in labels:
            continue
        before, after = known.stored(name), vars(known)[name]
        if name == "clinical_notes":
            before = after = "(not shown)"
        elif name == "nhs_number":
            before = crypto.decrypt(before) if before else ""
        changes.append((labels[name], _words(name, before), _words(name, after)))
    return changes


def _words(name: str, value: Any) -> str:
    if value is None or value == "":
        return ""
    if name == "phone_number":
        return phone.national(value)
    if name == "risk_category":
        return str(value).replace("_", " ").capitalize()
    return f"{value.day} {value:%B %Y}" if hasattr(value, "year") else str(value)
