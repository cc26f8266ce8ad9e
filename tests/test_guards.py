"""What must hold for the product as a whole, asked of every route, field and file there is."""

import importlib
import re
import subprocess
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import models
from django.http import HttpResponse
from django.test import Client

from practices import access
from practices.models import Membership, Practice, Role, User
from sightsync.lib import ids
from tests import routes
from tests.routes import Route, Rows

PUBLIC = {"healthz", "readyz", "developer/reference", "api/v1/openapi.json", "api/v1/docs"}
METHODS = ("get", "post", "put", "patch", "delete")
ALLAUTH = "allauth."
ROUTES = {route.path: route for route in routes.every()}
STAFF = routes.names(routes.staff())
WITH_IDS = routes.names(routes.with_ids())


def _route(name: str) -> Route:
    return ROUTES["" if name == "/" else name]


@pytest.fixture
def rows(practice: Practice) -> Rows:
    return routes.rows_of(practice)


def _as(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


# --- routes -------------------------------------------------------------------------------------


def test_every_route_has_a_known_guard() -> None:
    known = {
        route.path
        for route in [*routes.staff(), *routes.by_token(), *routes.signed(), *routes.by_key()]
    }
    unknown = {
        path
        for path, route in ROUTES.items()
        if path not in known | PUBLIC
        and not path.startswith("operator/")
        and not route.view.__module__.startswith(ALLAUTH)
    }
    assert unknown == set()


def test_every_permission_of_a_route_is_somebodys() -> None:
    asked = {route.permission for route in routes.staff()}
    assert asked <= access.PERMISSIONS[Role.OWNER]


@pytest.mark.parametrize("name", STAFF)
@pytest.mark.parametrize("method", ["get", "post"])
def test_staff_pages_ask_for_a_sign_in(name: str, method: str, rows: Rows, client: Client) -> None:
    answer = getattr(client, method)(_route(name).url(**rows.ids))
    asks = answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")
    assert asks or answer.status_code == 405


@pytest.mark.parametrize("name", routes.names(routes.by_token()))
@pytest.mark.parametrize("method", METHODS)
def test_a_guessed_token_shows_and_changes_nothing(
    name: str, method: str, rows: Rows, client: Client
) -> None:
    before = routes.fingerprint()
    answer = getattr(client, method)(_route(name).url(token=routes.UNKNOWN_TOKEN))
    assert answer.status_code in (404, 405, 410)
    assert b"Jane" not in answer.content
    assert routes.fingerprint() == before


@pytest.mark.parametrize("name", routes.names(routes.signed()))
@pytest.mark.parametrize("method", METHODS)
def test_callbacks_without_a_signature_change_nothing(
    name: str, method: str, rows: Rows, client: Client
) -> None:
    before = routes.fingerprint()
    route = _route(name)
    path = route.url(**{key: rows.ids.get(key, "x") for key in route.parameters})
    answer = getattr(client, method)(path, {"CallSid": "CA" + "0" * 32, "CallStatus": "completed"})
    assert answer.status_code in (403, 405)
    assert routes.fingerprint() == before


@pytest.mark.parametrize("name", routes.names(routes.by_key()))
def test_the_api_lets_nobody_in_without_a_key(name: str, rows: Rows, alice: User) -> None:
    """A sign-in to the pages is no key. tests/api/test_isolation.py asks with another's key."""
    route, client = _route(name), _as(alice)
    own = {key: rows.ids.get(key, "x") for key in route.parameters}
    path = "/api/no-such-route" if "^" in name else route.url(**own)
    before = routes.fingerprint()
    for method in (*METHODS, "options"):
        answer = getattr(client, method)(path, {}, content_type="application/json")
        assert (method, answer.status_code) == (method, 401)
        assert b"Canary" not in answer.content
    assert routes.fingerprint() == before


@pytest.mark.parametrize("name", [path for path in ROUTES if path.startswith("operator/")])
def test_the_operators_pages_are_for_operators(name: str, alice: User) -> None:
    path = "/" + re.sub(r"<[^>]+>|\(\?P<[^>]+>[^)]*\)|[$^]", "1", name)
    answer = _as(alice).get(path)
    assert answer.status_code in (302, 404) or name == "operator/login/"


# --- other practices' rows ----------------------------------------------------------------------


def _settled(answer: HttpResponse) -> bytes:
    """The body without what differs from one answer to the next by design."""
    return re.sub(rb'(nonce|value|content)="[^"]*"|(prc|usr|req)_\w{26}', b"", answer.content)


@pytest.mark.parametrize("name", WITH_IDS)
@pytest.mark.parametrize("method", METHODS)
def test_another_practices_row_is_the_same_404_as_none(
    name: str, method: str, rows: Rows, charlie: User
) -> None:
    route, client = _route(name), _as(charlie)
    before = routes.fingerprint()
    theirs = getattr(client, method)(route.url(**rows.ids))
    missing = getattr(client, method)(
        route.url(
            **{key: ids.encode(value.split("_")[0], ids.new()) for key, value in rows.ids.items()}
        )
    )
    assert theirs.status_code == missing.status_code
    assert theirs.status_code in (404, 405)
    assert _settled(theirs) == _settled(missing)
    assert b"Canary" not in theirs.content
    assert routes.fingerprint() == before


LISTS = [name for name in STAFF if name not in WITH_IDS]


@pytest.mark.parametrize("name", LISTS)
def test_lists_show_nothing_of_another_practice(name: str, rows: Rows, charlie: User) -> None:
    client = _as(charlie)
    before = routes.fingerprint()
    for query in ({}, rows.ids, {"patient": rows.ids["patient_id"]}, {"q": "Canary"}):
        answer = client.get(_route(name).url(), query)
        assert answer.status_code in (200, 302, 404, 405)
        # The search box repeats what was typed, which is charlie's own word.
        assert answer.content.count(b"Canary") <= (2 if "q" in query else 0)
    assert routes.fingerprint() == before


@pytest.mark.parametrize("field", ["patient", "patient_id", "patients", "only", "appointment"])
@pytest.mark.parametrize("name", LISTS)
def test_ids_in_a_form_reach_no_other_practice(
    name: str, field: str, rows: Rows, charlie: User
) -> None:
    client = _as(charlie)
    before = routes.fingerprint(leaving_out=("practices_practice", "practices_journalentry"))
    value = rows.ids["appointment_id" if field == "appointment" else "patient_id"]
    extra = {"time": "2026-11-25T10:00:00Z", "starts_at": "2026-11-25T10:00:00Z", "name": "x"}
    answer = client.post(_route(name).url(), {field: value, **extra})
    assert answer.status_code < 500
    assert b"Canary" not in answer.content
    after = routes.fingerprint(leaving_out=("practices_practice", "practices_journalentry"))
    # Moving the sandbox's clock is the one thing that is everybody's.
    before.pop("integrations_sandboxclock")
    after.pop("integrations_sandboxclock")
    assert after == before


# --- roles --------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role.values)
@pytest.mark.parametrize("name", STAFF)
def test_a_role_does_only_what_it_may(name: str, role: str, rows: Rows, practice: Practice) -> None:
    user = User.objects.create_user("role@example.org", "correct horse battery")
    Membership.objects.create(practice=practice, user=user, role=role)
    route = _route(name)
    allowed = access.may(role, route.permission or "")
    client = _as(user)
    for method in ("get", "post"):
        before = routes.fingerprint()
        answer = getattr(client, method)(route.url(**rows.ids))
        assert answer.status_code < 500
        if allowed:
            assert answer.status_code != 403
        else:
            assert answer.status_code in (403, 405)
            assert routes.fingerprint() == before


# --- reading changes nothing --------------------------------------------------------------------


@pytest.mark.parametrize("name", STAFF)
def test_reading_a_staff_page_writes_nothing(name: str, rows: Rows, alice: User) -> None:
    client, path = _as(alice), _route(name).url(**rows.ids)
    before = routes.fingerprint()
    for method in ("get", "head", "options"):
        answer = getattr(client, method)(path)
        assert answer.status_code < 500
    assert routes.fingerprint() == before


@pytest.mark.parametrize("kind", ["booking", "opt_out", "calendar"])
@pytest.mark.parametrize("name", routes.names(routes.by_token()))
def test_opening_a_patients_link_changes_nothing(
    name: str, kind: str, rows: Rows, client: Client
) -> None:
    """Mail scanners open every link before the patient does. That it was opened may be noted."""
    path = _route(name).url(token=rows.token[kind])
    before = routes.fingerprint(leaving_out=("recall_patientlink",))
    for method in ("get", "head", "options"):
        assert getattr(client, method)(path).status_code < 500
    assert routes.fingerprint(leaving_out=("recall_patientlink",)) == before


@pytest.mark.parametrize("name", STAFF)
def test_pages_allow_no_script_or_frame_of_others(name: str, rows: Rows, alice: User) -> None:
    answer = _as(alice).get(_route(name).url(**rows.ids))
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(rb"<[^>]+\son\w+=|<[^>]+\sstyle=", answer.content)


# --- personal data ------------------------------------------------------------------------------

COULD_BE_PERSONAL = (
    models.CharField,
    models.TextField,
    models.JSONField,
    models.BinaryField,
    models.GenericIPAddressField,
    models.FileField,
)


def _could_be_personal(field: "models.Field[object, object]") -> bool:
    if isinstance(field, COULD_BE_PERSONAL) or hasattr(field, "base_field"):
        return True
    return isinstance(field, models.DateField) and not isinstance(field, models.DateTimeField)


@pytest.mark.parametrize("app", routes.OURS)
def test_every_field_that_could_be_personal_is_in_an_inventory(app: str) -> None:
    found = {
        model.__name__: {
            field.name for field in model._meta.concrete_fields if _could_be_personal(field)
        }
        for model in apps.get_app_config(app).get_models()
    }
    if not found:
        return
    inventory = importlib.import_module(f"{app}.personal_data").INVENTORY
    assert found == {model: set(fields) for model, fields in inventory.items()}


# --- files --------------------------------------------------------------------------------------

FORBIDDEN = {"utils", "helpers", "common", "misc", "services"}
LONGEST = 400
NO_CLOCK = re.compile(r"datetime\.(utc)?now\(|date\.today\(|timezone\.now\(")


def _ours() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    files = [settings.BASE_DIR / name for name in listed]
    files = files or [
        path
        for path in settings.BASE_DIR.rglob("*.py")
        if not any(part.startswith(".") or part == "var" for part in path.parts)
    ]
    return [path for path in files if path.exists() and "migrations" not in path.parts]


def test_no_file_is_over_four_hundred_lines() -> None:
    long = {
        str(path): lines
        for path in _ours()
        if (lines := len(path.read_text().splitlines())) > LONGEST
    }
    assert long == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [str(path) for path in _ours() if {path.stem, *path.parts} & FORBIDDEN] == []


def test_only_one_clock_is_read() -> None:
    allowed = {"sightsync/lib/clock.py"}
    product = [path for path in _ours() if not {"tests", "bench"} & set(path.parts)]
    reading = {
        str(path.relative_to(settings.BASE_DIR))
        for path in product
        if NO_CLOCK.search(path.read_text())
    }
    assert reading <= allowed


def test_only_one_module_writes_csv() -> None:
    """A cell that a spreadsheet would run is made harmless in one place."""
    writers = [
        path.name
        for path in _ours()
        if re.search(r"csv\.(Dict)?[wW]riter\(", path.read_text()) and "tests" not in path.parts
    ]
    assert writers == ["spreadsheet.py"]


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
