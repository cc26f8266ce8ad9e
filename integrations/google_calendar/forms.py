"""The forms of the Google Calendar pages."""

from typing import Any

from django import forms

from integrations.models import Connection
from practices.models import Practice

TITLES = (
    ("name", "The patient’s name: Jane Smith"),
    ("initials", "Initials only: J. S."),
)


class CalendarForm(forms.Form):
    """Which calendar, whose diary, and what is written over an appointment."""

    calendar = forms.ChoiceField(
        label="Calendar",
        help_text="Appointments are written here, and what keeps it busy is not offered to"
        " patients.",
        error_messages={
            "required": "Choose the calendar that appointments are written to.",
            "invalid_choice": "Choose one of the calendars in the list.",
        },
    )
    diary = forms.ChoiceField(
        label="Whose diary it is",
        required=False,
        help_text="With one chosen, only its appointments go there and only it is kept busy.",
        error_messages={"invalid_choice": "Choose one of your diaries, or all of them."},
    )
    title = forms.ChoiceField(
        label="Title of each event",
        choices=TITLES,
        widget=forms.RadioSelect,
        help_text="Everybody who can see the calendar sees the title.",
        error_messages={"required": "Choose what the title says."},
    )

    def __init__(
        self, practice: Practice, connection: Connection, data: Any = None, **more: Any
    ) -> None:
        chosen = connection.settings
        super().__init__(
            data,
            initial={
                "calendar": chosen.get("calendar_id", ""),
                "diary": chosen.get("diary", ""),
                "title": chosen.get("title", "name"),
            },
            **more,
        )
        listed = [
            (each["id"], f"{each['name']} (the account’s own)" if each["primary"] else each["name"])
            for each in chosen.get("calendars", [])
        ]
        known = any(key == chosen.get("calendar_id") for key, _ in listed)
        first = [] if known else [("", "Choose a calendar")]
        self.fields["calendar"].choices = [*first, *listed]  # type: ignore[attr-defined]
        diaries = practice.diaries.filter(active=True).order_by("name")
        self.fields["diary"].choices = [  # type: ignore[attr-defined]
            ("", "All diaries"),
            *((diary.public_id, diary.name) for diary in diaries),
        ]


class RiskForm(forms.Form):
    understood = forms.BooleanField(
        label="Everybody who can see this calendar may know it",
        error_messages={"required": "Tick the box to say that you have read this."},
    )
