"""The form that says which column is what."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms

from patients.csv_import.dates import Order
from patients.csv_import.runs import Column, Field
from sightsync.lib.errors import AppError

LEAVE_OUT = "Leave this column out"
_ORDERS = [
    (Order.DAY_FIRST.value, "The day comes first"),
    (Order.MONTH_FIRST.value, "The month comes first"),
]


@dataclass(frozen=True, slots=True)
class Line:
    """A column with its input; the one that asks how its dates are written, if any; and how one of
    them is read, where there is nothing to ask.
    """

    column: Column
    field: forms.BoundField
    order: forms.BoundField | None
    reading: str

    @property
    def is_settled(self) -> bool:
        return self.column.sure and self.order is None and not self.field.errors


class MatchForm(forms.Form):
    """One select for each column; a choice of reading where its dates could be read two ways."""

    def __init__(
        self, columns: Sequence[Column], fields: Sequence[Field], data: Mapping[str, Any] | None
    ) -> None:
        super().__init__(data)
        self._columns = columns
        choices = [("", LEAVE_OUT), *((field.name, field.label) for field in fields)]
        for column in columns:
            self.fields[_column(column)] = forms.ChoiceField(
                label=f"What is “{column.header or f'column {column.place + 1}'}”?",
                choices=choices,
                required=False,
                initial=column.field,
                error_messages={"invalid_choice": "Choose one of the list."},
            )
            asked = column.question
            if asked and len(asked.orders) > 1:
                self._ask_order(column, list(asked.orders), asked.chosen)
            elif data and _order(column) in data:
                self._ask_order(column, _ORDERS)

    def _ask_order(
        self, column: Column, choices: list[tuple[str, str]], chosen: str | None = None
    ) -> None:
        self.fields[_order(column)] = forms.ChoiceField(
            label=f"How are the dates in “{column.header}” written?",
            choices=choices,
            required=False,
            initial=chosen or None,
            widget=forms.RadioSelect,
            error_messages={"invalid_choice": "Choose one of the two."},
        )

    def lines(self) -> Iterator[Line]:
        for column in self._columns:
            asks = _order(column) in self.fields
            asked = column.question
            yield Line(
                column,
                self[_column(column)],
                self[_order(column)] if asks else None,
                asked.orders[0][1] if asked and asked.orders and not asks else "",
            )

    @property
    def to_look_at(self) -> list[Line]:
        """Those that are not certain, or have a question, or were sent back."""
        return [line for line in self.lines() if not line.is_settled]

    @property
    def settled(self) -> list[Line]:
        return [line for line in self.lines() if line.is_settled]

    @property
    def mapping(self) -> dict[int, str]:
        chosen = self.cleaned_data
        return {
            column.place: chosen[_column(column)]
            for column in self._columns
            if chosen.get(_column(column))
        }

    @property
    def date_orders(self) -> dict[str, str]:
        """By the field that each column was said to be."""
        chosen = self.cleaned_data
        return {
            chosen[_column(column)]: chosen[_order(column)]
            for column in self._columns
            if chosen.get(_column(column)) and chosen.get(_order(column))
        }

    def refuse(self, refusal: AppError) -> None:
        """Shows what was refused by the column that has the field, else on top. What is asked of a
        matched column is the order of its dates.
        """
        for field, found in refusal.extra.get("errors", {"": [refusal.message]}).items():
            matched = ((c, self.cleaned_data.get(_column(c))) for c in self._columns)
            columns = [column for column, chosen in matched if field and chosen == field]
            if len(columns) == 1 and _order(columns[0]) not in self.fields:
                self._ask_order(columns[0], _ORDERS)
            self.add_error(_place_of(columns), found)


def _place_of(columns: Sequence[Column]) -> str | None:
    if not columns:
        return None
    return _order(columns[0]) if len(columns) == 1 else _column(columns[-1])


def _column(column: Column) -> str:
    return f"column-{column.place}"


def _order(column: Column) -> str:
    return f"order-{column.place}"
