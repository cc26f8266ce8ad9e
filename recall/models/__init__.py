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
from recall.models.copies import AppointmentCopy, BusyTime, CopyState
from recall.models.episodes import Episode, EpisodeState
from recall.models.tasks import StaffTask, TaskKind
from recall.models.theirs import TheirAppointment
from recall.models.wording import MessageText, TestMessage, Text

__all__ = [
    "Appointment",
    "AppointmentCopy",
    "AppointmentStatus",
    "Attempt",
    "AttemptState",
    "BusyTime",
    "CallTurn",
    "Campaign",
    "CampaignPatient",
    "CampaignState",
    "Channel",
    "Closure",
    "CopyState",
    "Diary",
    "DiaryHours",
    "Episode",
    "EpisodeState",
    "InboundMessage",
    "MessageText",
    "Outcome",
    "PatientLink",
    "ProviderEvent",
    "Purpose",
    "StaffTask",
    "TaskKind",
    "TestMessage",
    "Text",
    "TheirAppointment",
]
