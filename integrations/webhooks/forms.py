"""The form of a webhook's address and events."""

from typing import Any

from django import forms

from integrations.models import WebhookEndpoint
from integrations.webhooks import addresses, events
from sightsync.lib import ids

_ABOUT = {
    "call": "Calls",
    "appointment": "Appointments",
    "message": "Messages",
    "optout": "Opt-outs",
    "patient": "Patients",
    "recall": "Recalls",
    "campaign": "Campaigns",
    "task": "Tasks for the staff",
    "import": "The practice",
    "contact": "The practice",
    "data_request": "Data requests",
}
_ANYTHING_ELSE = "Anything else"


class EndpointForm(forms.Form):
    """Spelling only; whether anything may be sent there is asked by the change itself."""

    url = forms.CharField(
        label="Address",
        max_length=addresses.MAX_LENGTH,
        help_text="An https address on the public internet. It must answer 2xx within 10 seconds.",
        widget=forms.URLInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Enter the address that events are sent to."},
    )
    everything = forms.BooleanField(
        label="Every event",
        required=False,
        initial=True,
        help_text="Those that are added later too. Untick it to choose.",
    )
    events = forms.MultipleChoiceField(
        label="Or only these",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=[(name, name) for name in events.CATALOGUE],
    )
    full_objects = forms.BooleanField(
        label="Send the whole record with each event",
        required=False,
        help_text="Names, numbers and what was said: personal data, and of a health service. Left"
        " out, the receiver gets ids and asks the API for what it needs.",
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        if not given.get("everything") and not given.get("events") and "events" not in self.errors:
            self.add_error("events", "Choose at least one event, or every event.")
        return given

    @property
    def groups(self) -> list[tuple[str, list[tuple[Any, str]]]]:
        """The events by what they are about; each a tick box and what happened, in words."""
        found: dict[str, list[tuple[Any, str]]] = {about: [] for about in _ABOUT.values()}
        for box in self["events"].subwidgets:
            name = box.data["value"]
            about = _ABOUT.get(name.partition(".")[0], _ANYTHING_ELSE)
            found.setdefault(about, []).append((box, events.CATALOGUE[name]))
        return [(about, boxes) for about, boxes in found.items() if boxes]

    @property
    def wanted(self) -> list[str]:
        """The chosen names, or `*`."""
        chosen = self.cleaned_data
        return [events.ALL] if chosen["everything"] else list(chosen["events"])

    @classmethod
    def of(cls, row: WebhookEndpoint) -> "EndpointForm":
        return cls(
            initial={
                "url": row.url,
                "everything": events.ALL in row.events,
                "events": row.events,
                "full_objects": row.full_objects,
            }
        )


class NewEndpointForm(EndpointForm):
    endpoint_id = forms.UUIDField(
        widget=forms.HiddenInput,
        initial=ids.new,
        error_messages=dict.fromkeys(["required", "invalid"], "Start again from the webhooks."),
    )
    """The id of the endpoint to be, so that a form that is sent twice makes one."""
