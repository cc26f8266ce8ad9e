"""What a practice management system of the sandbox knows of one practice, in no vendor's words.

Each API key is a practice of its own, with the same patients to begin with. It must not speak HTTP.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from integrations.sandbox.pms_people import Px, population
from integrations.sandbox.world import World

LONDON = ZoneInfo("Europe/London")
PATIENTS = 5000
DIARIES = {"R1": "Room 1, Mrs Sharma", "R2": "Room 2, Mr Hughes"}
OPENS, CLOSES = time(9), time(17)
STEP = timedelta(minutes=30)
DAYS_BOOKED, BOOKED_A_DAY = 15, 8
WRONG_KEY = "wrong-key"
"""The one key that is refused; and none at all."""


class RefusedError(Exception):
    """The vendor says no: `code` in words of ours, that each vendor spells its own way."""

    def __init__(self, code: str, status: int) -> None:
        super().__init__(code)
        self.code, self.status = code, status


@dataclass(slots=True, kw_only=True)
class Appt:
    """`state`: booked, cancelled, attended, no_show. `patient` is None for whom only `who` says."""

    number: int
    patient: int | None
    who: dict[str, Any]
    diary: str
    starts_at: datetime
    minutes: int
    state: str = "booked"
    reference: str = ""
    revision: int = 1
    updated_at: datetime

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=self.minutes)

    def takes_up(self, diary: str, start: datetime, end: datetime) -> bool:
        here = self.diary == diary and self.state == "booked"
        return here and self.starts_at < end and start < self.ends_at


class Office:
    """One practice's records. Times are aware, in UTC."""

    def __init__(self, patients: dict[int, Px], world: World, seed: str) -> None:
        self.world = world
        self.patients = dict(patients)
        self.gone: dict[int, Px] = {}
        self.appointments: dict[int, Appt] = {}
        self._furnish(seed)

    def now(self) -> datetime:
        return self.world.clock.now().astimezone(UTC)

    def _furnish(self, seed: str) -> None:
        """Some days' worth of appointments that the front desk has made."""
        dice = random.Random(seed)  # noqa: S311 (play, not secrets)
        living = [each.number for each in self.patients.values() if each.state == "active"]
        day = self.now().astimezone(LONDON).date()
        for _ in range(DAYS_BOOKED if living else 0):
            day += timedelta(days=1)
            if day.weekday() > 4:
                continue
            for number in dice.sample(range(16), BOOKED_A_DAY):
                start = datetime.combine(day, OPENS, LONDON) + number * STEP
                self._add(
                    patient=dice.choice(living),
                    who={},
                    diary=dice.choice(list(DIARIES)),
                    starts_at=start.astimezone(UTC),
                    minutes=30,
                    updated_at=self.now() - timedelta(days=dice.randint(1, 30)),
                )

    def _add(self, **fields: Any) -> Appt:
        row = Appt(number=len(self.appointments) + 1, **fields)
        self.appointments[row.number] = row
        return row

    def changed(self, since: datetime | None) -> list[Px]:
        """Patients by number."""
        rows = sorted(self.patients.values(), key=lambda each: each.number)
        return [row for row in rows if since is None or row.updated_at >= since]

    def changed_appointments(self, since: datetime | None) -> list[Appt]:
        """Since then; or all from today on."""
        today = datetime.combine(self.now().astimezone(LONDON).date(), time(), LONDON)
        return [
            row
            for row in self.appointments.values()
            if (row.updated_at >= since if since else row.starts_at >= today)
        ]

    def between(self, start: datetime, end: datetime) -> list[Appt]:
        rows = self.appointments.values()
        return [row for row in rows if row.starts_at < end and start < row.ends_at]

    def by_reference(self, reference: str) -> list[Appt]:
        return [row for row in self.appointments.values() if row.reference == reference]

    def free(self, start: datetime, end: datetime, diary: str = "") -> list[tuple[str, datetime]]:
        """Half hours on weekdays, from now on."""
        if diary and diary not in DIARIES:
            raise RefusedError("unknown_diary", 404)
        found, start = [], max(start, self.now())
        day = start.astimezone(LONDON).date()
        while datetime.combine(day, OPENS, LONDON) < end and (end - start).days < 60:
            if day.weekday() < 5:
                found += [
                    (code, moment)
                    for code in ([diary] if diary else DIARIES)
                    for moment in self._free_on(code, day)
                    if start <= moment and moment + STEP <= end
                ]
            day += timedelta(days=1)
        return found

    def _free_on(self, diary: str, day: Any) -> Iterable[datetime]:
        moment = datetime.combine(day, OPENS, LONDON)
        while moment.time() < CLOSES:
            here = moment.astimezone(UTC)
            if not self._taken(diary, here, here + STEP):
                yield here
            moment += STEP

    def _taken(self, diary: str, start: datetime, end: datetime, but: int = 0) -> bool:
        return any(
            row.takes_up(diary, start, end) and row.number != but
            for row in self.appointments.values()
        )

    def book(
        self,
        *,
        patient: int | None,
        who: dict[str, Any],
        diary: str,
        starts_at: datetime,
        minutes: int,
        reference: str = "",
    ) -> Appt:
        """Raises RefusedError: an unknown patient or diary, a time that is taken."""
        if patient is not None and patient not in self.patients:
            raise RefusedError("unknown_patient", 422)
        if patient is None and not who:
            raise RefusedError("no_patient", 422)
        starts_at = starts_at.astimezone(UTC)
        return self._add(
            patient=patient,
            who=who,
            diary=self._room(diary, starts_at, minutes),
            starts_at=starts_at,
            minutes=minutes,
            reference=reference,
            updated_at=self.now(),
        )

    def move(self, row: Appt, *, diary: str, starts_at: datetime, minutes: int) -> Appt:
        starts_at = starts_at.astimezone(UTC)
        row.diary = self._room(diary or row.diary, starts_at, minutes, but=row.number)
        row.starts_at, row.minutes, row.updated_at = starts_at, minutes, self.now()
        row.revision += 1
        return row

    def _room(self, diary: str, start: datetime, minutes: int, but: int = 0) -> str:
        """The diary that was asked for, or any that is free then."""
        if diary and diary not in DIARIES:
            raise RefusedError("unknown_diary", 422)
        end = start + timedelta(minutes=minutes)
        for code in [diary] if diary else DIARIES:
            if not self._taken(code, start, end, but):
                return code
        raise RefusedError("slot_taken", 409)

    def set_state(self, row: Appt, state: str) -> None:
        row.state, row.updated_at = state, self.now()
        row.revision += 1

    def appointment(self, number: int) -> Appt:
        if number not in self.appointments:
            raise RefusedError("unknown_appointment", 404)
        return self.appointments[number]

    def change(self, number: int, **fields: Any) -> Px:
        self.patients[number] = replace(
            self.patients[number], **{**fields, "updated_at": self.now()}
        )
        return self.patients[number]


class Practices:
    """All practices of one vendor, by API key."""

    def __init__(self, server: str, world: World, patients: int = PATIENTS) -> None:
        self._server, self._world, self._patients = server, world, patients
        self._base: dict[int, Px] | None = None
        self.offices: dict[str, Office] = {}

    def resize(self, patients: int) -> None:
        """Begin again, with so many patients in each practice."""
        self._patients, self._base = patients, None
        self.offices.clear()

    def of(self, key: str) -> Office:
        if not key or key == WRONG_KEY:
            raise RefusedError("wrong_key", 401)
        if key not in self.offices:
            if self._base is None:
                today = self._world.clock.now().date()
                self._base = population(self._server, self._patients, today)
            self.offices[key] = Office(self._base, self._world, f"{self._server} {key}")
        return self.offices[key]


def practices(world: World, server: str) -> Practices:
    return world.room(server, lambda: Practices(server, world))
