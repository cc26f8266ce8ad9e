"""Appointments that a connected system made: by which id it knows them, and what it last said."""

from typing import ClassVar

from django.db import models

from integrations.models import Connection
from practices.models import Practice
from recall.models.appointments import Appointment


class TheirAppointment(models.Model):
    """What the system said of it last: only a change of that is heeded, so that what was done about
    it here since then stays. Of one that we wrote there is an `AppointmentCopy` instead.
    """

    id = models.BigAutoField(primary_key=True)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="+")
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+")
    appointment = models.ForeignKey(Appointment, models.CASCADE, related_name="+")
    external_id = models.CharField(max_length=255)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    status = models.CharField(max_length=9)
    noted_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["connection", "external_id"], name="one_row_per_appointment_of_theirs"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["connection", "starts_at"], name="theirs_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M} {self.status}"
