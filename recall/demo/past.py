"""Writes the demo's stories: recalls, calls, messages, appointments, tasks and their journal.

Calls and messages are written as finished rows. What changes a patient goes through the ordinary
doors, in order of time, with this process's clock set to the time of the change.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from patients import opt_out, records
from patients.models import Patient
from practices import quota
from practices.journal import Actor
from recall.demo import talk
from recall.demo.book import Book
from recall.demo.ledger import ACTOR, Ledger
from recall.demo.stories import Step, Story
from recall.models import (
    Appointment,
    AppointmentStatus,
    Attempt,
    CallTurn,
    Campaign,
    CampaignPatient,
    CampaignState,
    Channel,
    Episode,
    EpisodeState,
    Outcome,
    Purpose,
    StaffTask,
    TaskKind,
)
from recall.models.episodes import OPEN_STATES
from recall.priority import priority
from sightsync.lib import clock

_LENGTH = timedelta(minutes=30)
_TASKS: dict[str, TaskKind] = {
    Outcome.SYMPTOMS: TaskKind.SYMPTOMS,
    Outcome.WRONG_PERSON: TaskKind.WRONG_NUMBER,
    Outcome.CALL_BACK: TaskKind.CALL_BACK,
    Outcome.NEEDS_STAFF: TaskKind.HUMAN,
}
_TALKED = (
    Outcome.BOOKED,
    Outcome.DECLINED,
    Outcome.OPTED_OUT,
    Outcome.WRONG_PERSON,
    Outcome.CALL_BACK,
    Outcome.NEEDS_STAFF,
    Outcome.SYMPTOMS,
    Outcome.HUNG_UP,
)


@dataclass
class Past:
    """Gathers the rows and happenings of each story into the ledger."""

    ledger: Ledger
    patients: dict[int, Patient]
    now: datetime
    book: Book
    campaigns: dict[str, Campaign] = field(default_factory=dict)

    def add(self, story: Story) -> None:
        """One recall from its opening to its end."""
        patient = self.patients[story.number]
        campaign = self._campaign(story.begins)
        if story.path.state in OPEN_STATES:
            campaign.state, campaign.ended_at = CampaignState.RUNNING, None
        episode = Episode(
            practice=self.ledger.practice,
            patient=patient,
            campaign=campaign,
            cycle_due_date=patient.next_clinical_due_date,
            state=story.path.state,
            priority=priority(
                risk=patient.risk_category,
                due=patient.next_clinical_due_date,
                today=clock.london(story.begins).date(),
            ),
            opened_at=story.begins,
        )
        chosen = CampaignPatient(
            practice=self.ledger.practice, campaign=campaign, patient=patient, included=True
        )
        self.ledger.rows += [chosen, episode]
        self.ledger.note(story.begins, "recall.opened", patient, episode)
        moment, attempt = story.begins, None
        for step in story.path.steps:
            moment += step.after
            attempt = self._attempt(step, moment, patient, episode)
        ended = moment + timedelta(minutes=4)
        if story.path.books_by:
            self._appointment(story, ended, patient, episode, attempt)
        self._close(episode, ended, story.path.steps[-1].outcome, attempt)

    def booked_at_the_desk(self, patient: Patient, days_ahead: int) -> None:
        """An appointment that the staff made themselves."""
        day = clock.london(self.now).date() + timedelta(days=days_ahead)
        diary_id, start = self.book.take(day, self.ledger.chance)
        made = self.now - timedelta(days=self.ledger.chance.randrange(1, 20))
        appointment = Appointment(
            practice=self.ledger.practice,
            diary_id=diary_id,
            patient=patient,
            starts_at=start,
            ends_at=start + _LENGTH,
            source="staff",
            created_at=made,
        )
        self.ledger.rows.append(appointment)
        self.ledger.note(made, "appointment.booked", patient, appointment, **_when(appointment))

    def _campaign(self, begins: datetime) -> Campaign:
        """One finished campaign for each month; `add` leaves those with open recalls running."""
        name = f"{clock.london(begins):%B} recalls"
        if name not in self.campaigns:
            campaign = Campaign(
                practice=self.ledger.practice,
                name=name,
                filters={"limit": 100},
                state=CampaignState.FINISHED,
                started_at=begins,
                ended_at=min(begins + timedelta(days=30), self.now),
            )
            self.campaigns[name] = campaign
            self.ledger.rows.append(campaign)
            self.ledger.note(begins, "campaign.started", None, campaign)
        return self.campaigns[name]

    def _attempt(self, step: Step, at: datetime, patient: Patient, episode: Episode) -> Attempt:
        """One finished call or message of a recall."""
        voice = step.channel == Channel.VOICE
        talked = voice and step.outcome in _TALKED
        seconds = self.ledger.chance.randrange(40, 130) if talked else None
        attempt = self.ledger.sent(
            patient,
            at,
            channel=step.channel,
            outcome=step.outcome,
            episode=episode,
            campaign=episode.campaign,
            answered_at=at + timedelta(seconds=12) if talked else None,
            duration_seconds=seconds,
            answered_by="human" if talked else "",
            summary=talk.summary(step.outcome) if voice else "",
        )
        if voice:
            month = quota.month_of(at)
            self.ledger.calls[month] = self.ledger.calls.get(month, 0) + 1
        return attempt

    def _appointment(
        self,
        story: Story,
        at: datetime,
        patient: Patient,
        episode: Episode,
        attempt: Attempt | None,
    ) -> None:
        wanted = clock.london(at).date() + timedelta(days=self.ledger.chance.randrange(3, 22))
        diary_id, start = self.book.take(wanted, self.ledger.chance)
        over = start + _LENGTH < self.now
        status = self._status(over)
        appointment = Appointment(
            practice=self.ledger.practice,
            diary_id=diary_id,
            patient=patient,
            episode=episode,
            attempt=attempt,
            starts_at=start,
            ends_at=start + _LENGTH,
            status=status,
            source=story.path.books_by,
            created_at=at,
            cancelled_at=at + timedelta(days=1) if status == AppointmentStatus.CANCELLED else None,
        )
        self.ledger.rows.append(appointment)
        self.ledger.note(at, "appointment.booked", patient, appointment, **_when(appointment))
        self._tell(patient, appointment, Purpose.CONFIRMATION, at + timedelta(seconds=20))
        reminder = start - timedelta(hours=24)
        if reminder < self.now and status != AppointmentStatus.CANCELLED:
            self._tell(patient, appointment, Purpose.REMINDER, reminder)
        if over and status != AppointmentStatus.CANCELLED:
            self.ledger.note(start + _LENGTH, f"appointment.{status}", patient, appointment)
        if status == AppointmentStatus.ATTENDED:
            tested = clock.london(start).date()
            self.ledger.at(start + timedelta(hours=2), lambda: _tested(patient, tested))
        if appointment.cancelled_at:
            self.ledger.note(
                appointment.cancelled_at, "appointment.cancelled", patient, appointment
            )
        if attempt is not None:
            self._turns(attempt, start)

    def _status(self, over: bool) -> AppointmentStatus:
        draw = self.ledger.chance.random()
        if not over:
            return AppointmentStatus.CONFIRMED if draw < 0.45 else AppointmentStatus.BOOKED
        if draw < 0.87:
            return AppointmentStatus.ATTENDED
        return AppointmentStatus.NO_SHOW if draw < 0.95 else AppointmentStatus.CANCELLED

    def _tell(
        self, patient: Patient, appointment: Appointment, purpose: Purpose, at: datetime
    ) -> None:
        """The SMS about an appointment; nobody with a landline or without a number gets one."""
        if patient.phone_kind == "mobile":
            self.ledger.sent(
                patient,
                at,
                channel=Channel.SMS,
                outcome=Outcome.DELIVERED,
                purpose=purpose,
                appointment=appointment,
                appointment_version=1,
            )

    def _close(
        self, episode: Episode, at: datetime, outcome: Outcome, attempt: Attempt | None
    ) -> None:
        patient = episode.patient
        episode.reason = str(outcome)
        if episode.state not in OPEN_STATES:
            episode.closed_at = at
            self.ledger.note(at, "recall.closed", patient, episode, state=episode.state)
        if attempt is not None and outcome != Outcome.BOOKED:
            self._turns(attempt, at)
        if outcome in _TASKS:
            urgent = outcome == Outcome.SYMPTOMS
            self._task(patient, attempt, _TASKS[outcome], at, urgent)
        elif episode.state == EpisodeState.EXHAUSTED and at > self.now - timedelta(days=9):
            self._task(patient, attempt, TaskKind.EXHAUSTED, at, False)
        if outcome == Outcome.OPTED_OUT:
            self.ledger.at(at, lambda: _opt_out(patient))
        if outcome == Outcome.WRONG_PERSON:
            self.ledger.at(at, lambda: records.mark_phone_wrong(patient=patient, actor=ACTOR))

    def _task(
        self,
        patient: Patient,
        attempt: Attempt | None,
        kind: TaskKind,
        at: datetime,
        urgent: bool,
    ) -> None:
        task = StaffTask(
            practice=self.ledger.practice,
            patient=patient,
            attempt=attempt,
            kind=kind,
            urgent=urgent,
            due_at=self.now + timedelta(hours=3) if kind == TaskKind.CALL_BACK else None,
            created_at=at,
        )
        self.ledger.rows.append(task)
        self.ledger.note(at, "task.opened", patient, task, kind=kind)

    def _turns(self, attempt: Attempt, slot: datetime) -> None:
        words = {
            "practice": self.ledger.practice.name,
            "first": attempt.patient.first_name,
            "slot": _spoken(slot),
            "second": _spoken(slot + timedelta(days=1, minutes=30)),
        }
        attempt.summary = attempt.summary.format(**words)
        if attempt.channel != Channel.VOICE:
            return
        for number, (speaker, text, intent) in enumerate(talk.lines(attempt.outcome), start=1):
            self.ledger.rows.append(
                CallTurn(
                    practice=self.ledger.practice,
                    attempt=attempt,
                    number=number,
                    speaker=speaker,
                    text=text.format(**words),
                    intent=intent,
                    confidence=0.93 if speaker == "patient" else None,
                    at=attempt.created_at + timedelta(seconds=12 + 7 * number),
                )
            )


def _when(appointment: Appointment) -> dict[str, str]:
    return {"source": appointment.source, "starts_at": appointment.starts_at.isoformat()}


def _tested(patient: Patient, day: date) -> object:
    return records.update(
        patient=patient, data={"last_eye_test_date": day}, source="staff", actor=ACTOR
    )


def _opt_out(patient: Patient) -> object:
    return opt_out.record(patient=patient, source="phone_call", actor=Actor.patient(patient.pk))


def _spoken(moment: datetime) -> str:
    local = clock.london(moment)
    minutes = f":{local:%M}" if local.minute else ""
    half = "am" if local.hour < 12 else "pm"
    return f"{local:%A} {local.day} {local:%B} at {local.hour % 12 or 12}{minutes}{half}"
