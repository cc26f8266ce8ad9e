"""The job: episodes, campaigns, attempts, staff tasks, diaries, appointments, links."""

from recall.models.appointments import (
    Appointment,
    AppointmentStatus,
    Closure,
    Diary,
    DiaryHours,
    PatientLink,
)
from recall.models.attempts import (
    Attempt,
    AttemptState,
    CallTurn,
    Channel,
    InboundMessage,
    Outcome,
    ProviderEvent,
    Purpose,
)
from recall.models.campaigns import Campaign, CampaignPatient, CampaignState
from recall.models.episodes import Episode, EpisodeState
from recall.models.tasks import StaffTask, TaskKind

__all__ = [
    "Appointment",
    "AppointmentStatus",
    "Attempt",
    "AttemptState",
    "CallTurn",
    "Campaign",
    "CampaignPatient",
    "CampaignState",
    "Channel",
    "Closure",
    "Diary",
    "DiaryHours",
    "Episode",
    "EpisodeState",
    "InboundMessage",
    "Outcome",
    "PatientLink",
    "ProviderEvent",
    "Purpose",
    "StaffTask",
    "TaskKind",
]
