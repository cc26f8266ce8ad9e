"""An import as its pages drive it: files, the upload, and the worker's part."""

import importlib
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from patients.models import ImportRun, ImportState
from sightsync.lib import ids

SAMPLE = Path(__file__).parents[1] / "docs" / "samples" / "messy-60.csv"
GOOD = b"""first_name,last_name,phone_number,last_eye_test_date
Jane,Osei,07700900301,03/04/2023
Tom,Ferreira,07700900302,15/06/2023
"""
WITH_BAD = GOOD + b"Zoe,Hart,12,21/02/2023\nIda,Cole,07700900304,31/02/2023\n"
ODD_HEADER = b"first_name,last_name,phone_number,Seen by\nJane,Osei,07700900301,Mr Shah\n"


def run_jobs() -> None:
    """What a worker does: every job on the queue, in order, until there is none."""
    while row := OrmQ.objects.order_by("id").first():
        job = row.task
        row.delete()
        module, _, name = job["func"].rpartition(".")
        getattr(importlib.import_module(module), name)(*job["args"])


def upload(client: Client, content: bytes = GOOD, name: str = "list.csv") -> Any:
    return client.post("/import", {"file": SimpleUploadedFile(name, content)})


def draft(client: Client, content: bytes = GOOD) -> ImportRun:
    """The import that an upload makes, checked as far as it is matched."""
    answer = upload(client, content)
    assert answer.status_code == 302, answer.content.decode()
    run_jobs()
    return ImportRun.objects.get(pk=ids.decode("imp", answer["Location"].split("/")[2]))


def imported(client: Client, content: bytes = GOOD) -> ImportRun:
    run = draft(client, content)
    assert client.post(at(run, "start")).status_code == 302
    run_jobs()
    run.refresh_from_db()
    assert run.state == ImportState.DONE
    return run


def at(run: ImportRun, page: str = "show") -> str:
    return reverse(f"imports:{page}", args=[run.public_id])


def chosen(*fields: str) -> dict[str, str]:
    """The match form: these fields, column by column."""
    return {f"column-{place}": field for place, field in enumerate(fields)}
