"""The CSV writer: whatever is in a cell, a spreadsheet shows it and runs nothing."""

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from sightsync.lib import spreadsheet


def _read(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1))
def test_no_cell_starts_a_formula_and_nothing_is_lost(text: str) -> None:
    [[cell]] = _read(spreadsheet.to_csv([[text]]))
    assert cell[0] not in "=+-@\t\r\n\0"
    assert cell in (text, f"'{text}")


def test_excel_is_told_the_encoding() -> None:
    assert spreadsheet.to_csv([["Siân"]]).startswith(b"\xef\xbb\xbf")


def test_numbers_stay_numbers() -> None:
    assert _read(spreadsheet.to_csv([[-3, "-3"]])) == [["-3", "'-3"]]
