"""The Postman collection: what is committed is what the document says."""

import json
import re

from django.core.management import call_command

from practices.management.commands.postman import FILE
from sightsync.lib.api import postman, schema

DOCUMENT = json.loads(schema.document())
MADE = postman.collection(DOCUMENT)
ITEMS = [item for folder in MADE["item"] for item in folder["item"]]


def test_the_committed_collection_is_up_to_date() -> None:
    """If not: python manage.py postman"""
    assert json.loads(FILE.read_text()) == MADE


def test_the_command_writes_it_the_same_every_time(tmp_path) -> None:
    for name in ("one.json", "two.json"):
        call_command("postman", file=tmp_path / name)
    assert (tmp_path / "one.json").read_text() == (tmp_path / "two.json").read_text()


def test_every_operation_is_in_it_once() -> None:
    def shape(path: str) -> str:
        return re.sub(r"{\w+}|:\w+", "*", path)

    told = {
        (method.upper(), shape(path))
        for path, operations in DOCUMENT["paths"].items()
        for method in operations
    }
    made = [
        (item["request"]["method"], shape("/" + "/".join(item["request"]["url"]["path"])))
        for item in ITEMS
    ]
    assert len(made) == len(told)
    assert set(made) == told
    assert len({item["id"] for item in ITEMS}) == len(ITEMS)


def test_bodies_are_the_documents_examples_and_no_key_is_written() -> None:
    sent = [item["request"] for item in ITEMS if "body" in item["request"]]
    assert len(sent) >= 8
    assert all(isinstance(json.loads(request["body"]["raw"]), dict) for request in sent)
    assert re.search(r"nvc_(live|test)_\w", json.dumps(MADE)) is None
