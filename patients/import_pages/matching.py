"""The form that says which column is what."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from patients.csv_import.runs import Column, Field
from sightsync.lib.errors import AppError

LEAVE_OUT = "Leave this column out"


@dataclass(frozen=True, slots=True)
class Line:
    """A column with its input, and the one that asks how its dates are written, if any."""

    column: Column
    field: forms.BoundField
    order: forms.BoundField | None


class MatchForm(forms.Form):
    """One select for each column; a choice of reading where its dates could be read two ways."""

    def __init__(
        self, columns: Sequence[Column], fields: Sequence[Field], data: Mapping[str, Any] | None
    ) -> None:
        super().__init__(data)
        self._columns = columns
        choices = [("", LEAVE_OUT), *((field.name, field.label) for field in fields)]
        for column in columns:
            self.fields[f"column-{column.place}"] = forms.ChoiceField(
                label=f"What is “{column.header or f'column {column.place + 1}'}”?",
                choices=choices,
                required=False,
                initial=column.field,
                error_messages={"invalid_choice": "Choose one of the list."},
            )
            if column.question:
                self.fields[f"order-{column.place}"] = forms.ChoiceField(
                    label=f"How are the dates in “{column.header}” written?",
                    choices=list(column.question.orders),
                    required=False,
                    initial=column.question.chosen or None,
                    widget=forms.RadioSelect,
                )

    def lines(self) -> Iterator[Line]:
        for column in self._columns:
            order = self[f"order-{column.place}"] if column.question else None
            yield Line(column, self[f"column-{column.place}"], order)

    @property
    def to_look_at(self) -> list[Line]:
        """Those that are not certain, or have a question, or were sent back."""
        return [line for line in self.lines() if not _settled(line)]

    @property
    def settled(self) -> list[Line]:
        return [line for line in self.lines() if _settled(line)]

    @property
    def mapping(self) -> dict[int, str]:
        chosen = self.cleaned_data
        return {
            column.place: chosen[f"column-{column.place}"]
            for column in self._columns
            if chosen[f"column-{column.place}"]
        }

    @property
    def date_orders(self) -> dict[str, str]:
        """By our field, of the columns that still are that field."""
        return {
            column.question.field: order
            for column in self._columns
            if column.question
            and (order := self.cleaned_data.get(f"order-{column.place}"))
            and self.cleaned_data[f"column-{column.place}"] == column.question.field
        }

    def refuse(self, refusal: AppError) -> None:
        """Shows by the column, or on top where no column has the field, what was refused."""
        for name, found in refusal.extra.get("errors", {"": [refusal.message]}).items():
            self.add_error(self._input_of(name), found)

    def _input_of(self, field: str) -> str | None:
        for column in self._columns:
            if self.cleaned_data.get(f"column-{column.place}") == field:
                asks = column.question is not None and column.question.field == field
                return f"order-{column.place}" if asks else f"column-{column.place}"
        return None


def _settled(line: Line) -> bool:
    return line.column.sure and line.order is None and not line.field.errors
