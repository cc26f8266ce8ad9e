"""What the outside world needs of the database."""

from integrations.models.connections import PMS_KINDS, Connection, ConnectionState, Kind
from integrations.models.numbers import DedicatedNumber, NumberState
from integrations.models.seen import SeenAppointment
from integrations.models.webhooks import (
    DeliveryState,
    DisabledReason,
    WebhookDelivery,
    WebhookEndpoint,
)
from integrations.models.world import CarrierPace, SandboxClock

__all__ = [
    "PMS_KINDS",
    "CarrierPace",
    "Connection",
    "ConnectionState",
    "DedicatedNumber",
    "DeliveryState",
    "DisabledReason",
    "Kind",
    "NumberState",
    "SandboxClock",
    "SeenAppointment",
    "WebhookDelivery",
    "WebhookEndpoint",
]
