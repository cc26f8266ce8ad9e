"""What Today shows, and what waits for a person."""

from dataclasses import dataclass
from datetime import time, timedelta

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery

from patients.models import Patient, RiskCategory
from practices import plans
from practices.models import MonthlyUsage, Practice
from recall.models import (
    Appointment,
    Attempt,
    AttemptState,
    CallTurn,
    Channel,
    Episode,
    StaffTask,
)
from recall.models.attempts import LIVE_STATES
from recall.selectors import copies
from recall.selectors.funnel import KEPT, Step, steps
from recall.wording import REACHED
from sightsync.lib import clock

HIGH_RISK = (RiskCategory.GLAUCOMA_SUSPECT, RiskCategory.DIABETIC, RiskCategory.OTHER_CLINICAL)
FUNNEL_DAYS = 90
JUST_ENDED = timedelta(minutes=10)
TASKS_SHOWN = 50
NOT_KNOWN_FOR = timedelta(minutes=30)
"""After this an attempt of unknown fate is a task of its own."""
CARRIER_BUSY = "carrier_busy"


@dataclass(frozen=True, slots=True)
class Quota:
    """Calls of this calendar month against the plan."""

    used: int
    limit: int

    @property
    def left(self) -> int:
        return max(0, self.limit - self.used)

    @property
    def nearly_used(self) -> bool:
        return self.left * 10 <= self.limit


@dataclass(frozen=True, slots=True)
class Numbers:
    """The four figures of Today."""

    overdue: int
    overdue_high_risk: int
    booked_this_week: int
    booked_last_week: int
    contacted: int
    reached: int
    quota: Quota

    @property
    def reached_percent(self) -> int:
        return round(100 * self.reached / self.contacted) if self.contacted else 0

    @property
    def more_than_last_week(self) -> int:
        return self.booked_this_week - self.booked_last_week

    @property
    def fewer_than_last_week(self) -> int:
        return -self.more_than_last_week


def quota(practice: Practice) -> Quota:
    month = clock.today().replace(day=1)
    used = MonthlyUsage.objects.filter(practice=practice, month=month).values_list(
        "calls_used", flat=True
    )
    return Quota(used=used.first() or 0, limit=plans.monthly_limit(practice.plan))


def open_tasks(practice: Practice) -> list[StaffTask]:
    """What needs a person: urgent ones first, then those that have waited longest."""
    return _open(StaffTask.objects.filter(practice=practice))


def tasks_of(patient: Patient) -> list[StaffTask]:
    return _open(StaffTask.objects.filter(practice=patient.practice_id, patient=patient))


def _open(rows: QuerySet[StaffTask]) -> list[StaffTask]:
    waiting = rows.filter(done_at=None).select_related("patient", "attempt")
    return copies.with_stuck_copies(waiting.order_by("-urgent", "created_at")[:TASKS_SHOWN])


def open_episode(patient: Patient) -> Episode | None:
    rows = Episode.objects.filter(practice=patient.practice_id, patient=patient, closed_at=None)
    return rows.select_related("campaign").first()


def numbers(practice: Practice) -> Numbers:
    today = clock.today()
    monday = clock.at_london(today - timedelta(days=today.weekday()), time())
    week = timedelta(days=7)
    overdue = Patient.objects.filter(
        practice=practice,
        next_clinical_due_date__lt=today,
        archived_at=None,
        deceased_at=None,
        erased_at=None,
    ).aggregate(all=Count("pk"), high=Count("pk", filter=Q(risk_category__in=HIGH_RISK)))
    booked = Appointment.objects.filter(practice=practice, status__in=KEPT).aggregate(
        this=Count("pk", filter=Q(created_at__gte=monday)),
        last=Count(
            "pk", filter=Q(created_at__gte=monday - week, created_at__lt=clock.now() - week)
        ),
    )
    people = Attempt.objects.filter(
        practice=practice, purpose="recall", submitted_at__gte=clock.now() - timedelta(days=30)
    ).aggregate(
        contacted=Count("patient", distinct=True),
        reached=Count("patient", distinct=True, filter=Q(outcome__in=REACHED)),
    )
    return Numbers(
        overdue=overdue["all"],
        overdue_high_risk=overdue["high"],
        booked_this_week=booked["this"],
        booked_last_week=booked["last"],
        contacted=people["contacted"],
        reached=people["reached"],
        quota=quota(practice),
    )


def funnel(practice: Practice) -> list[Step]:
    """From due to attended, over the recalls opened in the last ninety days."""
    since = clock.now() - timedelta(days=FUNNEL_DAYS)
    return steps(Episode.objects.filter(practice=practice, opened_at__gte=since))


def held_up_by_carrier(practice: Practice) -> int:
    """Calls and texts that wait for the carrier, or of which it has not said whether it took them.
    0 for a single one, which a broken line explains.
    """
    just_now = clock.now() - NOT_KNOWN_FOR
    held_up = Q(state=AttemptState.PLANNED, reason=CARRIER_BUSY)
    held_up |= Q(state=AttemptState.UNKNOWN, submitted_at__gte=just_now)
    found = Attempt.objects.filter(held_up, practice=practice).exclude(channel=Channel.EMAIL)
    count = found.count()
    return count if count > 1 else 0


def in_the_air(practice: Practice) -> QuerySet[Attempt]:
    """Calls that are under way, then those that ended a moment ago, with what was said last."""
    last_turn = CallTurn.objects.filter(attempt=OuterRef("pk")).order_by("-number")
    return (
        Attempt.objects.filter(practice=practice, channel=Channel.VOICE)
        .filter(Q(state__in=LIVE_STATES) | Q(ended_at__gte=clock.now() - JUST_ENDED))
        .select_related("patient", "campaign", "episode")
        .annotate(last_intent=Subquery(last_turn.values("intent")[:1]))
        .order_by(F("ended_at").desc(nulls_first=True), "-submitted_at")[:12]
    )
