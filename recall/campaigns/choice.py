"""The one filter that every campaign is: who is wanted, in values that can be read, kept and shown.

Pure: knows no rows. A person's filters, the grammar and a language model all end in a `Choice`, and
nothing else about a campaign comes from them.
"""

from dataclasses import MISSING, dataclass, fields
from datetime import date
from typing import Annotated, Any, Self

from pydantic import Field, TypeAdapter

MAX_PATIENTS = 5000
MAX_AGE = 120
RISKS = (
    "glaucoma_suspect",
    "diabetic",
    "other_clinical",
    "myopia_child",
    "contact_lens",
    "standard",
)
"""The risk categories in the order in which a reading names them."""

_Risk = Annotated[str, Field(pattern=f"^({'|'.join(RISKS)})$")]
_Months = Annotated[int, Field(ge=0, le=1200)]
_Days = Annotated[int, Field(ge=0, le=36500)]
_Age = Annotated[int, Field(ge=0, le=MAX_AGE)] | None
_Ago = Annotated[int, Field(ge=1, le=36500)] | None
_Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2199, 12, 31))] | None


@dataclass(frozen=True, slots=True)
class Group:
    """Patients of whom all that is said here is true; what is not said does not matter.

    Overdue is counted in calendar months and days past the due date: at least `overdue_*`, and less
    than `overdue_below_*`. Ages in years and the days of `tested_*` are inclusive. "Called" is a
    call that was submitted, answered or not; "contacted" any call or message.
    """

    risks: tuple[_Risk, ...] = ()
    overdue_months: _Months = 0
    overdue_days: _Days = 0
    overdue_below_months: _Months = 0
    overdue_below_days: _Days = 0
    age_from: _Age = None
    age_to: _Age = None
    tested_from: _Day = None
    tested_to: _Day = None
    never_tested: bool = False
    not_called_days: _Ago = None
    not_called_since: _Day = None
    called_since: _Day = None
    never_called: bool = False
    not_contacted_days: _Ago = None
    not_contacted_since: _Day = None
    contacted_since: _Day = None
    never_contacted: bool = False
    has_appointment: bool | None = None

    def as_json(self) -> dict[str, Any]:
        """What is said, in JSON's values; what is not said is left out."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: _plain(value)
            for name, value in found.items()
            if value != DEFAULTS[name] or name == "limit"
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Unknown keys are left out. Raises ValueError when a value is none that it can have."""
        return TypeAdapter(cls).validate_python(stored)

    @property
    def contradiction(self) -> tuple[str, str] | None:
        """Two fields that no patient can meet together."""
        for low, high in (("age_from", "age_to"), ("tested_from", "tested_to")):
            first, last = getattr(self, low), getattr(self, high)
            if first is not None and last is not None and first > last:
                return low, high
        if self.never_tested and (self.tested_from or self.tested_to):
            return "tested_from", "never_tested"
        return None


@dataclass(frozen=True, slots=True)
class Choice(Group):
    """A group, the further groups that are wanted as well, and those left out of all of them."""

    also: tuple[Group, ...] = ()
    leaving_out: tuple[Group, ...] = ()
    limit: Annotated[int, Field(ge=1, le=MAX_PATIENTS)] = 200
    only: tuple[str, ...] = ()
    """Keys of named patients; when given, nothing else is chosen."""

    @property
    def groups(self) -> tuple[Group, ...]:
        """All that are wanted: a patient of any of them is."""
        return (self.main, *self.also)

    @property
    def main(self) -> Group:
        return Group(**{field.name: getattr(self, field.name) for field in fields(Group)})


DEFAULTS = {field.name: field.default for field in fields(Choice) if field.default is not MISSING}


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Group):
        return value.as_json()
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
