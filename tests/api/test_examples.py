"""docs/api.md: every operation has a section, and every example in it is run against the server."""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings as installation
from django.db import connection

from recall.attempts import carriers
from recall.attempts.carriers import Handed
from sightsync.lib.api import schema
from tests.api import sample
from tests.api.conftest import make_client

TEXT = (Path(installation.BASE_DIR) / "docs" / "api.md").read_text()
MOST_LINES = 10
_SECTION = re.compile(r"^### ([A-Z]+) (\S+)\n(.*?)(?=^##|\Z)", re.M | re.S)
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.M | re.S)


@dataclass(frozen=True)
class Section:
    name: str
    text: str

    def blocks(self, language: str) -> list[str]:
        return [code for kind, code in _BLOCK.findall(self.text) if kind == language]


SECTIONS = [Section(f"{method} {path}", text) for method, path, text in _SECTION.findall(TEXT)]
NAMES = [section.name for section in SECTIONS]


def test_every_operation_has_one_section() -> None:
    document = json.loads(schema.document())
    told = {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert set(NAMES) == told
    assert len(NAMES) == len(told)


@pytest.mark.parametrize("section", SECTIONS, ids=NAMES)
def test_a_section_has_one_example_of_each_and_its_errors(section: Section) -> None:
    assert [len(section.blocks(one)) for one in ("bash", "python")] == [1, 1]
    assert len(section.blocks("python")[0].splitlines()) <= MOST_LINES
    assert "\nErrors: " in section.text


@pytest.fixture
def server(practice, live_server, settings, monkeypatch) -> Iterator[str]:
    """The sample practice on the live server; the environment says where, and has a key."""
    settings.CARRIER_CALL_SPACING_S = 0.0
    monkeypatch.setattr(
        carriers, "hand_over", lambda attempt, content: Handed("sandbox", attempt.pk.hex, "queued")
    )
    sample.make(practice)
    monkeypatch.setenv("SIGHTSYNC_URL", live_server.url)
    monkeypatch.setenv("SIGHTSYNC_KEY", str(make_client(practice).plain))
    monkeypatch.setenv("NO_PROXY", "*")
    yield str(live_server.url)
    with connection.cursor() as cursor:  # no model's table, so nothing else empties it
        cursor.execute("TRUNCATE tps_number")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("section", SECTIONS, ids=NAMES)
def test_the_python_example_runs(section: Section, server: str, capsys) -> None:
    exec(compile(section.blocks("python")[0], section.name, "exec"), {})
    assert capsys.readouterr().out or "for " in section.blocks("python")[0]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("section", SECTIONS, ids=NAMES)
def test_the_curl_example_runs(
    section: Section, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = section.blocks("bash")[0]
    monkeypatch.chdir(tmp_path)
    if shutil.which("curl"):
        strict = 'curl() { command curl -sS --fail-with-body "$@"; }\n'
        done = subprocess.run(
            ["bash", "-c", strict + command], capture_output=True, text=True, timeout=30
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert list(tmp_path.iterdir()) or isinstance(json.loads(done.stdout), dict)
    else:
        answer = _as_curl_would(command)
        assert answer.status_code < 300, answer.text


def _as_curl_would(command: str) -> httpx.Response:
    """For machines without curl: the few options that the examples use."""
    words = shlex.split(os.path.expandvars(command).replace("\\\n", " "))
    asked: dict[str, Any] = {"headers": {}, "content": None, "method": ""}
    url, rest = words[1], iter(words[2:])
    for option, value in zip(rest, rest, strict=True):
        if option == "-H":
            name, _, text = value.partition(": ")
            asked["headers"][name] = text
        else:
            asked[{"-X": "method", "-d": "content", "-o": "file"}[option]] = value
    asked.pop("file", None)
    asked["method"] = asked["method"] or ("POST" if asked["content"] else "GET")
    return httpx.request(url=url, trust_env=False, **asked)
