"""Where an import is: the page to go on with, and the steps with the one we are at."""

from dataclasses import dataclass

from django.urls import reverse

from patients.csv_import import runs
from patients.import_pages import selectors
from patients.import_pages.outlook import Outlook
from patients.models import ImportRun, ImportState
from practices import access
from practices.access import StaffRequest

MATCH, FIX, CHECK, IMPORT = "match", "fix", "check", "import"
_STEPS = (
    ("upload", "Upload"),
    (MATCH, "Match columns"),
    (FIX, "Fix rows"),
    (CHECK, "Check"),
    (IMPORT, "Import"),
)


@dataclass(frozen=True, slots=True)
class Step:
    """``url`` is empty for a step that cannot be gone to from here."""

    name: str
    state: str
    url: str


def load(request: StaffRequest, import_id: str) -> ImportRun:
    return access.load(selectors.imports(request.practice), import_id)


def draft(request: StaffRequest, import_id: str) -> ImportRun | None:
    """The import while it can still be changed; None once it has begun."""
    run = load(request, import_id)
    return run if run.state == ImportState.DRAFT else None


def of(run: ImportRun) -> str:
    """The address of the page on which the import goes on: rows with a problem come before the
    check of what will change.
    """
    if run.state != ImportState.DRAFT:
        return reverse("imports:show", args=[run.public_id])
    outlook = Outlook.of(run)
    step = CHECK if run.forecast or runs.is_matched(run) else MATCH
    if outlook.is_ready and outlook.bad:
        step = FIX
    return reverse(f"imports:{step}", args=[run.public_id])


def steps(run: ImportRun, here: str) -> list[Step]:
    """The five steps: those behind us can be gone back to while nothing has been written."""
    names = [code for code, _ in _STEPS]
    at = names.index(here)
    found = []
    for number, (code, name) in enumerate(_STEPS):
        state = "done" if number < at else "here" if number == at else "ahead"
        again = run.state == ImportState.DRAFT and state == "done" and code in (MATCH, FIX)
        url = reverse(f"imports:{code}", args=[run.public_id]) if again else ""
        found.append(Step(name, state, url))
    return found
