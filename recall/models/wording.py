"""A practice's own wording of its messages, and the tests of it that staff send to themselves."""

from typing import ClassVar

from django.db import models

from practices.models import Practice, User
from recall.models.attempts import AttemptState, Channel
from sightsync.lib import ids


class Text(models.TextChoices):
    """The pieces of writing that a practice may word for itself."""

    WHATSAPP_RECALL = "whatsapp_recall", "WhatsApp recall"
    EMAIL_RECALL_SUBJECT = "email_recall_subject", "Email recall, subject"
    EMAIL_RECALL_BODY = "email_recall_body", "Email recall"


class MessageText(models.Model):
    """One text of one practice, approved by a person; none means the product's own."""

    practice = models.ForeignKey(Practice, models.CASCADE, related_name="message_texts")
    name = models.CharField(max_length=20, choices=Text.choices)
    text = models.TextField()
    approved_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["practice", "name"], name="one_text_per_name"),
        ]

    def __str__(self) -> str:
        return self.get_name_display()


class TestMessage(ids.HasPublicId, models.Model):
    """A message that a member of staff has sent to themselves, by the same road as a patient's."""

    __test__ = False  # not a test case, whatever its name

    PREFIX = "tst"

    id = models.UUIDField(primary_key=True, default=ids.new, editable=False)
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="test_messages")
    asked_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    channel = models.CharField(max_length=8, choices=Channel.choices)
    destination = models.CharField(max_length=254)
    state = models.CharField(
        max_length=10, choices=AttemptState.choices, default=AttemptState.PLANNED
    )
    provider = models.CharField(max_length=12, blank=True)
    provider_ref = models.CharField(max_length=80, blank=True)
    provider_status = models.CharField(max_length=24, blank=True)
    error_code = models.CharField(max_length=24, blank=True)
    created_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    submitted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["practice", "-created_at"], name="test_message_newest"),
            models.Index(fields=["provider_ref"], name="test_message_by_ref"),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.state}"
