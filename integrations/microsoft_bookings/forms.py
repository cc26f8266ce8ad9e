"""The form of what is used of Bookings: the service, and who is which diary."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.forms import BoundField

from integrations.microsoft_bookings.account import Choice, Offer
from practices.models import Practice

_DIARY = "diary-"


class ChoiceForm(forms.Form):
    """One service, and a person of Bookings for every diary of ours: an application may book nobody
    without one.
    """

    service = forms.ChoiceField(
        label="Service",
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose the service that a recall books.",
            "invalid_choice": "Choose one of the services in the list.",
        },
    )

    def __init__(
        self, practice: Practice, offer: Offer, chosen: dict[str, Any], data: Any = None
    ) -> None:
        super().__init__(data)
        self.offer, self.minutes = offer, practice.appointment_minutes
        self.own = list(practice.diaries.filter(active=True).order_by("name", "pk"))
        services = [(each.id, f"{each.name}, {each.minutes} minutes") for each in offer.services]
        self.fields["service"].choices = services  # type: ignore[attr-defined]
        self.fields["service"].initial = chosen.get("service_id") or self._likely_service()
        people = [(each.id, each.name) for each in offer.staff]
        kept = {ours: theirs for theirs, ours in (chosen.get("diaries") or {}).items()}
        for diary in self.own:
            self.fields[f"{_DIARY}{diary.public_id}"] = forms.ChoiceField(
                label=diary.name,
                choices=[("", "Choose who it is"), *people],
                initial=kept.get(diary.public_id) or self._likely_person(diary.name),
                error_messages={
                    "required": f"Choose who in Bookings is {diary.name}.",
                    "invalid_choice": "Choose one of the people in the list.",
                },
            )

    def _likely_service(self) -> str:
        """The only one of the right length, if there is only one."""
        fitting = [each.id for each in self.offer.services if each.minutes == self.minutes]
        return fitting[0] if len(fitting) == 1 else ""

    def _likely_person(self, name: str) -> str:
        """Of the same name, or the only one there is."""
        same = [each.id for each in self.offer.staff if each.name.lower() == name.lower()]
        if not same and len(self.offer.staff) == len(self.own) == 1:
            return self.offer.staff[0].id
        return same[0] if len(same) == 1 else ""

    @property
    def diaries(self) -> Iterator[BoundField]:
        return (self[name] for name in self.fields if name.startswith(_DIARY))

    def clean_service(self) -> str:
        """Bookings takes no appointment that is longer or shorter than its service."""
        key = str(self.cleaned_data["service"])
        found = next(each for each in self.offer.services if each.id == key)
        if found.minutes != self.minutes:
            raise forms.ValidationError(
                f"{found.name} takes {found.minutes} minutes in Bookings, and your appointments"
                f" take {self.minutes}. Choose a service of {self.minutes} minutes, or make them"
                " the same."
            )
        return key

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        taken: dict[str, str] = {}
        for field in self.diaries:
            person = given.get(field.name)
            if person and person in taken:
                self.add_error(field.name, f"That is {taken[person]} already. Choose another.")
            elif person:
                taken[person] = str(field.label)
        return given

    @property
    def choice(self) -> Choice:
        """What was chosen, once the form is valid."""
        given = self.cleaned_data
        service = next(each for each in self.offer.services if each.id == given["service"])
        diaries = {given[field.name]: field.name.removeprefix(_DIARY) for field in self.diaries}
        return Choice(
            business=self.offer.business, service=service, staff=self.offer.staff, diaries=diaries
        )
