"""The list of patients that staff search and filter; what it was asked stays in the address.

Reads only. "Can be contacted" here means that no lasting reason on the record forbids every
channel; whether a call may leave this minute is eligibility's to say.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Concat

from patients import phone
from patients.due import add_months
from patients.models import Patient, RiskCategory
from practices.models import Practice
from sightsync.lib import clock

PAGE_SIZE = 50


class FilterForm(forms.Form):
    """Every field may be blank, and an unknown value is treated as blank, never as an error."""

    q = forms.CharField(required=False, max_length=80, label="Name, number or PMS id")
    risk = forms.ChoiceField(required=False, choices=[("", "Any risk"), *RiskCategory.choices])
    due = forms.ChoiceField(
        required=False,
        label="Due",
        choices=[
            ("", "Any time"),
            ("overdue", "Overdue"),
            ("6", "6 months overdue"),
            ("12", "12 months overdue"),
            ("soon", "In the next 30 days"),
        ],
    )
    contact = forms.ChoiceField(
        required=False,
        label="Contact",
        choices=[
            ("", "Everyone"),
            ("yes", "Can be contacted"),
            ("no", "Cannot be contacted"),
            ("opted_out", "Opted out"),
            ("tps", "On the TPS"),
            ("closed", "Record closed"),
        ],
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """The filters as understood."""

    q: str = ""
    risk: str = ""
    due: str = ""
    contact: str = ""

    @classmethod
    def from_form(cls, form: FilterForm) -> "Asked":
        form.is_valid()
        return cls(**{name: form.cleaned_data.get(name, "") for name in cls.__slots__})

    @property
    def anything(self) -> bool:
        return any((self.q, self.risk, self.due, self.contact))


def patients(practice: Practice, asked: Asked) -> QuerySet[Patient]:
    """The practice's patients that match, most overdue first: the living, unarchived ones, unless
    it was asked for those whose record is closed.
    """
    rows = Patient.objects.filter(practice=practice, erased_at=None)
    is_open = Q(archived_at=None, deceased_at=None)
    rows = rows.exclude(is_open) if asked.contact == "closed" else rows.filter(is_open)
    if asked.risk:
        rows = rows.filter(risk_category=asked.risk)
    rows = named(_due(rows, asked.due), asked.q.strip())
    if asked.contact == "yes":
        rows = rows.filter(_REACHABLE)
    elif asked.contact in _CONTACT:
        rows = rows.filter(_CONTACT[asked.contact])
    return rows.order_by("next_clinical_due_date", "pk")


_RINGABLE = (
    ~Q(phone_number="") & Q(phone_wrong_at=None) & (Q(tps_listing=0) | Q(phone_kind="mobile"))
)
_MAILABLE = ~Q(email="") & Q(email_bounced_at=None)
_REACHABLE = Q(opted_out_at=None) & (_RINGABLE | _MAILABLE)
_CONTACT: dict[str, Q] = {
    "no": ~_REACHABLE,
    "opted_out": Q(opted_out_at__isnull=False),
    "tps": Q(tps_listing__gt=0),
}


def _due(rows: QuerySet[Patient], due: str) -> QuerySet[Patient]:
    today = clock.today()
    if due == "overdue":
        return rows.filter(next_clinical_due_date__lt=today)
    if due == "soon":
        return rows.filter(
            next_clinical_due_date__gte=today,
            next_clinical_due_date__lte=today + timedelta(days=30),
        )
    if due:
        return rows.filter(next_clinical_due_date__lte=add_months(today, -int(due)))
    return rows


def named(rows: QuerySet[Patient], text: str) -> QuerySet[Patient]:
    """Those whose name, number, address or PMS id it is; all of them when it is blank."""
    if not text:
        return rows
    wanted: Any = (
        Q(whole_name__icontains=text) | Q(external_id__iexact=text) | Q(email__iexact=text)
    )
    try:
        wanted |= Q(phone_number=phone.parse(text).e164)
    except phone.Rejection:
        digits = "".join(letter for letter in text if letter.isdigit())
        if len(digits) >= 4:
            wanted |= Q(phone_number__endswith=digits.lstrip("0"))
    return rows.alias(whole_name=Concat("first_name", Value(" "), "last_name")).filter(wanted)
