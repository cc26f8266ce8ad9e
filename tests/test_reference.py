"""The API reference page: every operation, for anybody, without a script and under the policy."""

import json
import re

import pytest

from sightsync.lib.api import reference, schema
from sightsync.lib.api.reference import Field

PATH = "/developer/reference"
DOCUMENT = json.loads(schema.document())
OPERATIONS = [operation for group in reference.groups() for operation in group.operations]

pytestmark = pytest.mark.django_db


def test_anybody_may_read_it(client) -> None:
    answer = client.get(PATH)
    assert answer.status_code == 200
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    page = answer.content.decode()
    assert "<script" not in page
    assert not re.search(r'\sstyle="|\son\w+="', page)
    assert not re.search(r'(src|href)="(https?:)?//', page)


def test_every_operation_and_anchor_is_there_once(client) -> None:
    page = client.get(PATH).content.decode()
    told = [one for methods in DOCUMENT["paths"].values() for one in methods.values()]
    assert len(OPERATIONS) == len(told)
    for operation in OPERATIONS:
        assert page.count(f'id="{operation.anchor}"') == 1
        assert f'href="#{operation.anchor}"' in page
        assert operation.path in page
    anchors = re.findall(r'\sid="([^"]+)"', page)
    assert len(anchors) == len(set(anchors))


def test_the_api_leads_there(client) -> None:
    answer = client.get("/api/v1/docs")
    assert (answer.status_code, answer["Location"]) == (302, PATH)


def test_fields_say_what_they_take() -> None:
    add = next(one for one in OPERATIONS if one.anchor == "upsertPatient")
    rows = {row.name: row for row in add.body}
    assert rows["first_name"].required
    assert not rows["last_name"].required
    assert rows["last_eye_test_date"].kind == "date or null"
    assert "diabetic" in rows["risk_category"].choices
    assert add.scope == "write"
    assert json.loads(add.sent[0].text)["first_name"] == "Jane"


def test_parameters_say_their_default() -> None:
    listed = next(one for one in OPERATIONS if one.anchor == "listPatients")
    limit = next(row for row in listed.parameters if row.name == "limit")
    assert limit == Field("limit", "integer", False, "How many to return.", (), "100")


def test_every_operation_shows_an_answer() -> None:
    for operation in OPERATIONS:
        assert any(answer.good and answer.examples for answer in operation.answers), operation
        assert all(answer.phrase for answer in operation.answers)
