"""The forms of Settings, Integrations: WhatsApp, email and SMS."""

import re
from typing import Any

from django import forms

from patients import phone
from practices.models import Practice
from recall.messages import approved, recall_letters, wordings
from recall.models import Text

_TEMPLATE_ID = re.compile(r"HX[0-9a-f]{32}")
_DELAYS = [
    (15, "15 minutes"),
    (30, "30 minutes"),
    (60, "1 hour"),
    (120, "2 hours"),
    (240, "4 hours"),
    (24 * 60, "1 day"),
    (48 * 60, "2 days"),
    (72 * 60, "3 days"),
    (7 * 24 * 60, "7 days"),
]
_HOURS = [(2, "2 hours"), (4, "4 hours"), (24, "1 day"), (48, "2 days"), (72, "3 days")]


def mobile(text: str, *, kinds: tuple[phone.Kind, ...] = ()) -> str:
    """The number as +44..., "" for nothing. Raises ValidationError."""
    if not text.strip():
        return ""
    try:
        found = phone.parse(text)
    except phone.Rejection as rejection:
        raise forms.ValidationError(rejection.message) from rejection
    if kinds and found.kind not in kinds:
        raise forms.ValidationError("This is not a mobile number. Enter one that starts with 07.")
    return found.e164


def _with(choices: list[tuple[int, str]], value: int, unit: str) -> list[tuple[int, str]]:
    """The choices, and the value that stands even where it is none of them."""
    if any(value == offered for offered, _ in choices):
        return choices
    return sorted([*choices, (value, f"{value} {unit}")])


class ChannelForm(forms.Form):
    """Starts from what stands. `texts` are the wordings of the form by field."""

    texts: dict[str, str] = {}

    def __init__(self, practice: Practice, data: Any = None) -> None:
        self.practice = practice
        super().__init__(data, initial=self._standing())

    def _standing(self) -> dict[str, Any]:
        return {
            name: approved.shown(self.practice, self.texts[name])
            if name in self.texts
            else getattr(self.practice, name)
            for name in self.base_fields
        }

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        for name, text in self.texts.items():
            for message in faults(text, self.wording(name)):
                self.add_error(name, message)
        return found

    def wording(self, name: str) -> str:
        """The text in the form, as typed or as it stands."""
        raw = self.data.get(name, "") if self.is_bound else self.initial[name]
        return str(raw).replace("\r\n", "\n").strip()

    @property
    def policy(self) -> dict[str, Any]:
        """What belongs to the practice's row."""
        return {name: value for name, value in self.cleaned_data.items() if name not in self.texts}


def faults(name: str, text: str) -> list[str]:
    """What is wrong with a wording, each as a sentence."""
    judged = wordings.judge(name, text)
    found = [problem.message for problem in judged.problems]
    for fault, why in (
        ("promotion", "A recall may not promote anything: take out"),
        ("condition", "A recall may not speak of illness: take out"),
    ):
        words = sorted({f"“{mark.word}”" for mark in judged.marks if mark.fault == fault})
        if words:
            found.append(f"{why} {', '.join(words)}.")
    return found


class WhatsAppForm(ChannelForm):
    texts = {"text": Text.WHATSAPP_RECALL}

    whatsapp_enabled = forms.BooleanField(
        required=False, label="Send a WhatsApp when a call is not answered"
    )
    whatsapp_number = forms.CharField(
        required=False,
        max_length=40,
        label="Your WhatsApp number",
        help_text="The number that your WhatsApp Business sender is registered with.",
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    whatsapp_recall_template = forms.CharField(
        required=False,
        max_length=34,
        label="Id of the approved template",
        help_text="From your Twilio console: HX and 32 letters and digits. "
        "WhatsApp delivers nothing else to a patient who has not written to you within a day.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    whatsapp_delay_minutes = forms.TypedChoiceField(
        label="How long after the call", choices=_DELAYS, coerce=int
    )
    text = forms.CharField(
        label="What it says",
        required=False,
        help_text="Have the same words approved as your template. "
        "They are also sent as they stand to a patient who has just written to you.",
        widget=forms.Textarea(attrs={"rows": 8}),
    )

    def __init__(self, practice: Practice, data: Any = None) -> None:
        super().__init__(practice, data)
        choices = _with(_DELAYS, practice.whatsapp_delay_minutes, "minutes")
        self.fields["whatsapp_delay_minutes"].choices = choices  # type: ignore[attr-defined]

    def clean_whatsapp_number(self) -> str:
        return mobile(self.cleaned_data["whatsapp_number"])

    def clean_whatsapp_recall_template(self) -> str:
        found = str(self.cleaned_data["whatsapp_recall_template"]).strip()
        if found and not _TEMPLATE_ID.fullmatch(found):
            raise forms.ValidationError("Enter HX and 32 digits or letters from a to f.")
        return found

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        if found.get("whatsapp_enabled") and "whatsapp_number" not in self.errors:
            if not found.get("whatsapp_number"):
                self.add_error(
                    "whatsapp_number", "Enter the WhatsApp number, or switch WhatsApp off."
                )
            if (
                "whatsapp_recall_template" not in self.errors
                and not found.get("whatsapp_recall_template")
                and not recall_letters.template_of(self.practice)
            ):
                self.add_error(
                    "whatsapp_recall_template",
                    "Enter the id of the approved template, or switch WhatsApp off.",
                )
        return found


class EmailForm(ChannelForm):
    texts = {
        "subject": Text.EMAIL_RECALL_SUBJECT,
        "text": Text.EMAIL_RECALL_BODY,
    }

    email_enabled = forms.BooleanField(
        required=False, label="Send an email when calls and WhatsApp bring nothing"
    )
    email = forms.EmailField(
        required=False,
        label="Where answers go",
        help_text="Patients who answer reach this address.",
        error_messages={"invalid": "Enter an email address, such as hello@example.com."},
    )
    email_delay_minutes = forms.TypedChoiceField(
        label="How long after the step before", choices=_DELAYS, coerce=int
    )
    subject = forms.CharField(label="Subject", required=False)
    text = forms.CharField(
        label="What it says",
        required=False,
        help_text="The way to stop messages always stands below it.",
        widget=forms.Textarea(attrs={"rows": 12}),
    )

    def __init__(self, practice: Practice, data: Any = None) -> None:
        super().__init__(practice, data)
        choices = _with(_DELAYS, practice.email_delay_minutes, "minutes")
        self.fields["email_delay_minutes"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found = super().clean()
        if found.get("email_enabled") and not found.get("email") and "email" not in self.errors:
            self.add_error("email", "Enter where answers go, or switch email off.")
        return found


class SmsForm(ChannelForm):
    reminder_hours_before = forms.TypedChoiceField(
        label="When the reminder goes",
        help_text="Before the appointment.",
        choices=_HOURS,
        coerce=int,
    )

    def __init__(self, practice: Practice, data: Any = None) -> None:
        super().__init__(practice, data)
        choices = _with(_HOURS, practice.reminder_hours_before, "hours")
        self.fields["reminder_hours_before"].choices = choices  # type: ignore[attr-defined]


class TestForm(forms.Form):
    """Where a test goes: one's own mobile, or one's own sign-in address (which is not asked)."""

    __test__ = False  # not a test case, whatever its name

    number = forms.CharField(
        label="Your mobile",
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"}),
        error_messages={"required": "Enter your mobile number."},
    )

    def clean_number(self) -> str:
        return mobile(self.cleaned_data["number"], kinds=(phone.Kind.MOBILE,))
