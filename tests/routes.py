"""Every route of the product, how it is guarded, and rows of alice's to aim them at."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import Any

from django.apps import apps
from django.db import connection
from django.urls import URLPattern, URLResolver, get_resolver

from gdpr.models import DataRequest
from integrations.models import WebhookDelivery, WebhookEndpoint
from patients.csv_import import runs
from patients.models import ImportRun, Patient
from practices import api_keys
from practices.api_access import ApiView
from practices.journal import Actor
from practices.models import ApiKey, Practice
from recall.models import (
    Appointment,
    Attempt,
    Campaign,
    Diary,
    DiaryHours,
    PatientLink,
    StaffTask,
    TestMessage,
)
from recall.models.appointments import LinkKind
from sightsync.lib import clock, crypto, ids
from tests import engine

UNKNOWN_TOKEN = "x" * 43


@dataclass(frozen=True)
class Route:
    """One pattern of the resolver, spelt out from the root."""

    path: str
    view: Any

    @property
    def permission(self) -> str | None:
        """What `practices.access.require` asks for, when the view is behind it."""
        view = self.view
        while view is not None:
            if hasattr(view, "permission"):
                return str(view.permission)
            view = getattr(view, "__wrapped__", None)
        return None

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"<(?:\w+:)?(\w+)>", self.path)

    def url(self, **values: str) -> str:
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values[found[1]], self.path)


def every() -> list[Route]:
    return list(_walk(get_resolver().url_patterns, ""))


def _walk(patterns: Any, base: str) -> Iterator[Route]:
    for pattern in patterns:
        path = base + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, path)
        else:
            assert isinstance(pattern, URLPattern)
            yield Route(path, pattern.callback)


def staff() -> list[Route]:
    return [route for route in every() if route.permission]


def with_ids() -> list[Route]:
    return [route for route in staff() if route.parameters]


def by_token() -> list[Route]:
    return [route for route in every() if route.path.startswith(("b/", "c/", "o/"))]


def signed() -> list[Route]:
    return [route for route in every() if route.path.startswith("hooks/")]


def by_key() -> list[Route]:
    found = ((route, getattr(route.view, "cls", object)) for route in every())
    return [route for route, view in found if issubclass(view, ApiView)]


def names(routes: list[Route]) -> list[str]:
    return [route.path or "/" for route in routes]


@dataclass(frozen=True)
class Rows:
    """One of everything that has a public id, by the name of the URL parameter that carries it."""

    ids: dict[str, str]
    token: dict[str, str]


def rows_of(practice: Practice) -> Rows:
    """A patient with a call, an appointment, a task, a campaign and the three kinds of link."""
    engine.register()
    patient = engine.patient(practice, email="jane@example.org", last_name="Canary")
    campaign = Campaign.objects.create(
        practice=practice, name="November", filters={"limit": 5}, started_at=clock.now()
    )
    call = engine.under_way(patient)
    call.campaign = campaign
    call.save(update_fields=["campaign"])
    appointment = _appointment(practice, call)
    task = StaffTask.objects.create(
        practice=practice, patient=patient, kind="reply", created_at=clock.now()
    )
    token = {}
    for kind in LinkKind:
        token[kind] = crypto.random_token()
        PatientLink.objects.create(
            practice=practice,
            patient=patient,
            appointment=appointment,
            kind=kind,
            token_hash=crypto.token_hash(token[kind]),
            created_at=clock.now(),
            expires_at=clock.now() + timedelta(days=9),
        )
    public = {
        "patient_id": patient.public_id,
        "campaign_id": campaign.public_id,
        "call_id": call.public_id,
        "attempt_id": call.public_id,
        "appointment_id": appointment.public_id,
        "task_id": task.public_id,
        "test_id": _test_message(practice),
        "key_id": _api_key(practice).public_id,
        "import_id": _import(practice).public_id,
        "request_id": _data_request(patient),
        **_webhook(practice),
    }
    return Rows(public, token)


def _api_key(practice: Practice) -> ApiKey:
    key, _ = api_keys.create(
        practice=practice, name="Canary", scopes=["read"], actor=Actor.system("test")
    )
    return key


def _test_message(practice: Practice) -> str:
    row = TestMessage.objects.create(
        practice=practice, channel="email", destination="canary@example.org", created_at=clock.now()
    )
    return row.public_id


def _data_request(patient: Patient) -> str:
    row = DataRequest.objects.create(
        practice=patient.practice,
        patient=patient,
        type="access",
        status="completed",
        submitted_at=clock.now(),
        due_on=clock.today(),
        export='{"sections": [], "name": "Canary"}',
        export_expires_at=clock.now() + timedelta(days=1),
    )
    return row.public_id


def _import(practice: Practice) -> ImportRun:
    """A draft, checked, with one row that has a problem."""
    actor = Actor.system("test")
    run = runs.upload(
        practice=practice,
        file_name="Canary.csv",
        content=b"first_name,last_name,phone_number\nCanary,Bird,07700900301\nCanary,Cage,12\n",
        user=None,
        actor=actor,
    )
    runs.check(run=run, actor=actor)
    return run


def _webhook(practice: Practice) -> dict[str, str]:
    """An endpoint that nobody listens at, with a failed delivery."""
    endpoint = WebhookEndpoint.objects.create(
        practice=practice,
        url="http://127.0.0.1:9/Canary",
        events=["*"],
        secret="whsec_" + "x" * 32,
        next_sequence=1,
        created_at=clock.now(),
    )
    delivery = WebhookDelivery.objects.create(
        practice=practice,
        endpoint=endpoint,
        event_id=ids.new(),
        event_type="webhook.test",
        event_at=clock.now(),
        state="failed",
        created_at=clock.now(),
    )
    return {"webhook_id": endpoint.public_id, "delivery_id": delivery.public_id}


def _appointment(practice: Practice, call: Attempt) -> Appointment:
    diary = Diary.objects.create(practice=practice, name="Room 1")
    for weekday in range(5):
        DiaryHours.objects.create(
            practice=practice, diary=diary, weekday=weekday, opens="09:00", closes="17:00"
        )
    starts = clock.at_london(date(2026, 11, 24), time(14, 30))
    return Appointment.objects.create(
        practice=practice,
        diary=diary,
        patient=call.patient,
        starts_at=starts,
        ends_at=starts + timedelta(minutes=30),
        source="call",
        created_at=clock.now(),
    )


OURS = ("practices", "integrations", "patients", "recall", "gdpr")


def fingerprint(*, leaving_out: tuple[str, ...] = ()) -> dict[str, str]:
    """A hash of every table of ours and of the queue, to tell whether anything was written."""
    tables = [
        model._meta.db_table for app in OURS for model in apps.get_app_config(app).get_models()
    ]
    tables.append("django_q_ormq")
    seen = {}
    with connection.cursor() as cursor:
        for table in tables:
            if table in leaving_out:
                continue
            cursor.execute(f"SELECT t::text FROM {table} t ORDER BY 1")
            text = "\n".join(row[0] for row in cursor.fetchall())
            seen[table] = hashlib.sha256(text.encode()).hexdigest()
    return seen
