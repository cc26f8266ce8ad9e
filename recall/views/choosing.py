"""A new recall's goal and filters as forms, and as the campaign's choice."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import orjson
from django import forms
from django.http import QueryDict

from patients.models import RiskCategory
from recall.campaigns import grammar_text, reading, selection
from recall.campaigns.choice import DEFAULTS, MAX_AGE, Choice, Group

_MORE_GROUPS = ("also", "leaving_out")
_MOST_GROUPS = 20


class GoalForm(forms.Form):
    """Who to recall, in the practice's own words. Sent by POST: what people type may be personal,
    and never becomes part of an address.
    """

    goal = forms.CharField(
        label="Say who, in your own words",
        help_text="For example: diabetics overdue by more than 12 months, not the ones we rang this"
        " month.",
        max_length=grammar_text.MAX_LETTERS,
        error_messages={"required": "Say who to recall."},
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off"}),
    )


class _Number(forms.IntegerField):
    """A whole number from 1, or nothing."""

    def __init__(self, label: str, most: int) -> None:
        super().__init__(required=False, min_value=1, max_value=most, label=label)


class _Day(forms.DateField):
    def __init__(self, label: str) -> None:
        widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
        super().__init__(required=False, label=label, widget=widget)


class _Groups(forms.MultipleChoiceField):
    """Groups of patients by what is said of them, each of which can be unticked."""

    def __init__(self, label: str) -> None:
        super().__init__(required=False, label=label, widget=forms.CheckboxSelectMultiple)


class ChoiceForm(forms.Form):
    """Sent by GET, so that a choice has an address. Nothing sent means everybody who is due."""

    risks = forms.MultipleChoiceField(
        required=False,
        choices=RiskCategory.choices,
        widget=forms.CheckboxSelectMultiple,
        label="Risk",
        help_text="None ticked means any.",
    )
    overdue_months = forms.TypedChoiceField(
        required=False,
        coerce=int,
        label="Overdue by",
        choices=[
            ("", "Due now or before"),
            (1, "1 month or more"),
            (3, "3 months or more"),
            (6, "6 months or more"),
            (12, "12 months or more"),
            (24, "24 months or more"),
        ],
    )
    age_from = forms.IntegerField(required=False, min_value=0, max_value=MAX_AGE, label="Aged from")
    age_to = forms.IntegerField(required=False, min_value=0, max_value=MAX_AGE, label="to")
    not_called_days = forms.TypedChoiceField(
        required=False,
        coerce=int,
        empty_value=None,
        label="Last called",
        choices=[
            ("", "Whenever"),
            (7, "Not in 7 days"),
            (30, "Not in 30 days"),
            (90, "Not in 90 days"),
        ],
    )
    never_tested = forms.BooleanField(
        required=False, label="Only patients with no eye test on record"
    )
    limit = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=selection.MAX_PATIENTS,
        label="At most",
        widget=forms.NumberInput(attrs={"placeholder": f"{Choice().limit} patients"}),
    )
    overdue_days = _Number("Overdue by, days on top", 36500)
    overdue_below_months = _Number("Overdue under, in months", 1200)
    overdue_below_days = _Number("Under, days on top", 36500)
    tested_from = _Day("Last eye test from")
    tested_to = _Day("Last eye test until")
    not_called_since = _Day("Not called since")
    called_since = _Day("Called since")
    not_contacted_days = _Number("Not contacted in so many days", 36500)
    not_contacted_since = _Day("Not contacted since")
    contacted_since = _Day("Contacted since")
    has_appointment = forms.TypedChoiceField(
        required=False,
        coerce=lambda text: text == "true",
        empty_value=None,
        label="Appointment ahead",
        choices=[("", "Either"), ("false", "None"), ("true", "Booked")],
    )
    never_called = forms.BooleanField(required=False, label="Never called")
    never_contacted = forms.BooleanField(required=False, label="Never contacted")
    also = _Groups("These as well")
    leaving_out = _Groups("Leaving out")

    MORE = (
        "overdue_days",
        "overdue_below_months",
        "overdue_below_days",
        "tested_from",
        "tested_to",
        "not_called_since",
        "called_since",
        "not_contacted_days",
        "not_contacted_since",
        "contacted_since",
        "has_appointment",
    )
    """The filters that are asked for less often; the page keeps them folded until one is used."""

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self._groups: dict[str, Group] = {}
        if data is None:
            return
        self._offer("overdue_months", data, "{} months or more", 1200)
        self._offer("not_called_days", data, "Not in {} days", 36500)
        for name in _MORE_GROUPS:
            known = list(self._known_groups(data.getlist(name)))
            field = self.fields[name]
            assert isinstance(field, forms.MultipleChoiceField)
            field.choices = [(text, reading.phrase(self._groups[text])) for text in known]

    def _offer(self, name: str, data: QueryDict, words: str, most: int) -> None:
        """A value that the goal asked for is a choice of the list too."""
        field, asked = self.fields[name], data.get(name, "")
        assert isinstance(field, forms.ChoiceField)
        if asked.isascii() and asked.isdigit() and 1 <= len(asked) <= 5 and 0 < int(asked) <= most:
            offered = list(field.widget.choices)
            if int(asked) not in dict(offered):
                field.choices = [*offered, (int(asked), words.format(int(asked)))]

    def _known_groups(self, texts: list[str]) -> list[str]:
        for text in texts[:_MOST_GROUPS]:
            try:
                self._groups[text] = Group.from_json(orjson.loads(text))
            except ValueError:
                continue
        return [text for text in dict.fromkeys(texts) if text in self._groups]

    def more(self) -> list[forms.BoundField]:
        return [self[name] for name in self.MORE]

    @property
    def uses_more(self) -> bool:
        """Whether one of the folded filters is set."""
        named = (*self.MORE, "never_called", "never_contacted", *_MORE_GROUPS)
        return self.is_bound and any(self.data.get(name) or name in self.errors for name in named)

    def clean(self) -> dict[str, Any]:
        asked: dict[str, Any] = super().clean() or {}
        youngest, oldest = asked.get("age_from"), asked.get("age_to")
        if youngest is not None and oldest is not None and youngest > oldest:
            self.add_error("age_to", f"Choose an age of {youngest} or more, or leave it out.")
        first, last = asked.get("tested_from"), asked.get("tested_to")
        if first and last and first > last:
            self.add_error("tested_to", "Choose a day that is not before the first.")
        if asked.get("never_tested") and (first or last):
            self.add_error("never_tested", "Leave this out, or the days of the last eye test.")
        return asked

    def choice(self) -> Choice | None:
        """What is asked for; None when a field is wrong."""
        if not self.is_bound:
            return Choice()
        if not self.is_valid():
            return None
        asked = {name: value for name, value in self.cleaned_data.items() if value is not None}
        for name in _MORE_GROUPS:
            asked[name] = tuple(self._groups[text] for text in asked[name])
        asked["risks"] = tuple(asked["risks"])
        asked["overdue_months"] = asked["overdue_months"] or 0
        return Choice(**asked)

    @staticmethod
    def name_of(choice: Choice) -> str:
        """A name for the campaign, from the choice: Diabetic patients, overdue by 12 months."""
        return reading.name(choice)


def query_of(choice: Choice) -> str:
    """The choice as the filters' query string: what fills the form with it."""
    return urlencode(
        {name: _as_sent(value) for name, value in _said(choice).items()},
        doseq=True,
    )


def form_of(choice: Choice) -> ChoiceForm:
    """The filters filled with a choice."""
    return ChoiceForm(QueryDict(query_of(choice)))


def _said(choice: Choice) -> Mapping[str, Any]:
    return {
        name: value
        for name, value in choice.as_json().items()
        if name not in DEFAULTS or getattr(choice, name) != DEFAULTS[name]
    }


def _as_sent(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return [item if isinstance(item, str) else orjson.dumps(item).decode() for item in value]
    return value
