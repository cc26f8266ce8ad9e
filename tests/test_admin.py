"""The operators' pages: practice by practice, nothing clinical, nothing that could be forged."""

from typing import Any

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from practices import api_keys, journal
from practices.journal import Actor
from practices.models import ApiKey, JournalEntry, Membership, Practice, User
from recall.models import Attempt, CallTurn, InboundMessage
from sightsync.lib import clock
from tests import routes

pytestmark = pytest.mark.django_db

OURS = [model for model in admin.site._registry if model._meta.app_label in routes.OURS]
EDITABLE = {"Practice", "User", "Membership"}


@pytest.fixture
def operator(db: None) -> Client:
    user = User.objects.create_superuser("operator@example.org", "correct horse battery")
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def everything(practice: Practice, alice: User) -> routes.Rows:
    """One of each, with words in it that no operator needs."""
    rows = routes.rows_of(practice)
    call = Attempt.objects.get()
    call.summary = "canary summary"
    call.save(update_fields=["summary"])
    call.patient.clinical_notes = "canary notes"
    call.patient.nhs_number = "9434765919"
    call.patient.save(update_fields=["clinical_notes", "nhs_number"])
    CallTurn.objects.create(
        practice=practice,
        attempt=call,
        number=1,
        speaker="patient",
        text="canary turn",
        at=clock.now(),
    )
    InboundMessage.objects.create(
        practice=practice,
        patient=call.patient,
        channel="sms",
        provider_ref="SM1",
        sender="+447700900001",
        body="canary body",
        received_at=clock.now(),
    )
    api_keys.create(practice=practice, name="PMS", scopes=["read"], actor=Actor.system("test"))
    return rows


def _address(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


def test_the_journal_and_the_attempts_are_there() -> None:
    names = {model.__name__ for model in OURS}
    assert {"Practice", "Patient", "Attempt", "JournalEntry", "Appointment"} <= names
    assert not names & {"CallTurn", "PatientLink"}


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_lists_and_rows_show_nothing_clinical(
    model: type[Model], operator: Client, everything: routes.Rows
) -> None:
    pages = [_address(model, "changelist"), _address(model, "changelist") + "?q=nobody"]
    pages += [_address(model, "change", row.pk) for row in model._default_manager.all()[:3]]
    for page in pages:
        answer = operator.get(page)
        assert answer.status_code == 200
        assert b"canary" not in answer.content
        assert b"9434765919" not in answer.content


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_only_a_few_kinds_of_row_can_be_changed(model: type[Model], operator: Client) -> None:
    added = operator.get(_address(model, "add")).status_code
    assert added == (200 if model.__name__ == "Membership" else 403)
    model_admin: Any = admin.site._registry[model]
    request = operator.get(_address(model, "changelist")).wsgi_request
    assert model_admin.has_change_permission(request) is (model.__name__ in EDITABLE)
    assert model_admin.has_delete_permission(request) is (model.__name__ == "Membership")


def test_a_row_is_found_by_its_public_id(operator: Client, everything: routes.Rows) -> None:
    for model, name in (("patients_patient", "patient_id"), ("recall_attempt", "call_id")):
        page = reverse(f"admin:{model}_changelist")
        assert (
            everything.ids[name].encode() in operator.get(page, {"q": everything.ids[name]}).content
        )


def test_a_change_of_a_practice_is_in_its_journal(operator: Client, practice: Practice) -> None:
    page = _address(Practice, "change", practice.pk)
    form = operator.get(page).context["adminform"].form
    data = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    data = {name: "" if value is None else value for name, value in data.items()}
    data |= {"plan": "group", "calling_weekdays": "0,1,2,3,4", "recall_intervals": "{}"}
    answer = operator.post(page, data)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    practice.refresh_from_db()
    assert practice.plan == "group"
    entry = JournalEntry.objects.get(action="practice.updated")
    assert entry.actor_kind == "operator"
    assert "plan" in entry.facts["fields"]


def test_people_let_in_and_out_are_in_the_journal(
    operator: Client, practice: Practice, charlie: User
) -> None:
    form = {"user": str(charlie.pk), "practice": str(practice.pk), "role": "viewer"}
    operator.post(_address(Membership, "add"), form)
    place = Membership.objects.get(user=charlie, practice=practice)
    operator.post(_address(Membership, "change", place.pk), {**form, "role": "staff"})
    operator.post(_address(Membership, "delete", place.pk), {"post": "yes"})
    actions = JournalEntry.objects.filter(practice=practice).order_by("id")
    assert [row.action for row in actions] == [
        "person.added",
        "person.role_changed",
        "person.removed",
    ]


def test_keys_can_be_revoked(operator: Client, everything: routes.Rows) -> None:
    key = ApiKey.objects.filter(revoked_at=None).earliest("created_at")
    operator.post(
        _address(ApiKey, "changelist"), {"action": "revoke", "_selected_action": [str(key.pk)]}
    )
    key.refresh_from_db()
    assert key.revoked_at is not None


def test_the_journal_stays_whole_whatever_an_operator_posts(
    operator: Client, practice: Practice
) -> None:
    journal.record(practice=practice, action="patient.created", actor=Actor.system("test"))
    journal.seal()
    entry = JournalEntry.objects.get()
    for page in ("change", "delete"):
        answer = operator.post(_address(JournalEntry, page, entry.pk), {"post": "yes"})
        assert answer.status_code == 403
    assert journal.verify(practice.pk) is None
