"""What needs a person: one row, one reason, one action."""

from typing import TYPE_CHECKING, ClassVar

from django.db import models

from patients.models import Patient
from practices.models import Practice, User
from sightsync.lib import ids

if TYPE_CHECKING:
    from recall.models.copies import AppointmentCopy


class TaskKind(models.TextChoices):
    SYMPTOMS = "symptoms", "Mentioned symptoms"
    WRONG_NUMBER = "wrong_number", "Wrong number"
    CALL_BACK = "call_back", "Asked to be rung back"
    HUMAN = "human", "Asked to speak to a person"
    DECEASED = "deceased", "Reported deceased"
    UNKNOWN_OUTCOME = "unknown_outcome", "Not known whether it was sent"
    EXHAUSTED = "exhausted", "No answer on any channel"
    NOT_CONTACTABLE = "not_contactable", "Cannot be contacted"
    NO_FREE_TIME = "no_free_time", "Wanted to book, no free time"
    REPLY = "reply", "Sent a message"
    CALL_FAILED = "call_failed", "The call broke off"
    JOB_FAILED = "job_failed", "A job gave up"
    WRITE_BACK = "write_back", "Not in your diary system"


class StaffTask(ids.HasPublicId, models.Model):
    PREFIX = "tsk"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="staff_tasks")
    patient = models.ForeignKey(
        Patient, models.CASCADE, null=True, blank=True, related_name="staff_tasks"
    )
    attempt = models.ForeignKey(
        "recall.Attempt", models.SET_NULL, null=True, blank=True, related_name="staff_tasks"
    )
    kind = models.CharField(max_length=16, choices=TaskKind.choices)
    urgent = models.BooleanField(default=False)
    due_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    done_code = models.CharField(max_length=24, blank=True)

    stuck_copy: "AppointmentCopy | None" = None
    """The unwritten appointment that the task is about, where a selector has looked it up."""

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["practice", "patient", "kind"],
                condition=models.Q(done_at=None),
                name="one_open_task_per_patient_and_kind",
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["practice", "-urgent", "created_at"],
                name="task_open",
                condition=models.Q(done_at=None),
            )
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
