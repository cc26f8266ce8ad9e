"""Start-up: every setting is documented, and live mode refuses to run on made-up secrets."""

import os
import re
import subprocess
import sys

import pytest
from django.conf import settings

LIVE = {
    "SIGHTSYNC_MODE": "live",
    "SECRET_KEY": "f5rGm0Kq-a-secret-key-of-a-real-installation-9dQxWz2Lr7TnB4vHcYs1",
    "FIELD_ENCRYPTION_KEYS": "c2FuZGJveC1vbmx5LWZpZWxkLWtleS0wMDAwMDAwMDA=",
    "JOURNAL_KEY": "journal",
    "SUPPRESSION_KEY": "suppression",
    "PUBLIC_BASE_URL": "https://recall.example",
    "ALLOWED_HOSTS": "recall.example",
    "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "TWILIO_AUTH_TOKEN": "token",
    "EMAIL_URL": "smtp://127.0.0.1:2525",
}
NEEDED = sorted(set(LIVE) - {"SIGHTSYNC_MODE", "ALLOWED_HOSTS"})


def _check(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=settings.BASE_DIR,
        env={"PATH": os.environ["PATH"], "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
        | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_live_installation_passes_the_deployment_checks() -> None:
    found = _check(LIVE)
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("name", NEEDED)
def test_live_mode_names_the_missing_secret_in_one_line(name: str) -> None:
    found = _check({key: value for key, value in LIVE.items() if key != name})
    assert found.returncode == 1
    assert found.stderr.startswith(f"{name} is missing")
    assert len(found.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"SIGHTSYNC_MODE": "test"}, "SIGHTSYNC_MODE"),
        ({"FIELD_ENCRYPTION_KEYS": "short"}, "FIELD_ENCRYPTION_KEYS"),
        ({"PUBLIC_BASE_URL": "http://recall.example"}, "PUBLIC_BASE_URL"),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT"),
    ],
)
def test_a_wrong_setting_is_named(change: dict[str, str], said: str) -> None:
    found = _check(LIVE | change)
    assert found.returncode == 1
    assert said in found.stderr
    assert "Traceback" not in found.stderr


def test_every_setting_is_documented() -> None:
    source = (settings.BASE_DIR / "sightsync" / "settings.py").read_text()
    read = set(re.findall(r'(?:env\.\w+|secret)\(\s*"([A-Z_]+)"', source))
    documented = set(
        re.findall(r"^#?([A-Z_]+)=", (settings.BASE_DIR / ".env.example").read_text(), re.MULTILINE)
    )
    assert read - documented == set()
    assert "SIGHTSYNC_MODE" in read
