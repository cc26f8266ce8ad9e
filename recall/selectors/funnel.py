"""From due to attended: the steps of a set of recalls, counted in one query."""

from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from recall.models import Appointment, AppointmentStatus, Attempt, Episode, EpisodeState
from recall.models.appointments import LIVE_APPOINTMENT
from recall.wording import REACHED

KEPT = (*LIVE_APPOINTMENT, AppointmentStatus.ATTENDED, AppointmentStatus.NO_SHOW)


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of a funnel."""

    name: str
    count: int
    of: int

    @property
    def percent(self) -> int:
        return round(100 * self.count / self.of) if self.of else 0


def steps(episodes: QuerySet[Episode]) -> list[Step]:
    tried = Attempt.objects.filter(episode=OuterRef("pk"), submitted_at__isnull=False)
    appointments = Appointment.objects.filter(episode=OuterRef("pk"))
    counts = episodes.annotate(
        was_tried=Exists(tried),
        was_reached=Exists(tried.filter(outcome__in=REACHED)),
        was_booked=Exists(appointments.filter(status__in=KEPT)),
        has_attended=Exists(appointments.filter(status=AppointmentStatus.ATTENDED)),
    ).aggregate(
        due=Count("pk"),
        contacted=Count("pk", filter=Q(was_tried=True)),
        reached=Count("pk", filter=Q(was_reached=True) | Q(state=EpisodeState.BOOKED)),
        booked=Count("pk", filter=Q(was_booked=True) | Q(state=EpisodeState.BOOKED)),
        attended=Count("pk", filter=Q(has_attended=True)),
    )
    names = {
        "due": "Due",
        "contacted": "Contacted",
        "reached": "Reached",
        "booked": "Booked",
        "attended": "Attended",
    }
    return [Step(word, counts[key], counts["due"]) for key, word in names.items()]
