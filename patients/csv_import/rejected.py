"""Owns the file of rejected rows: the original columns, the row number and the reason."""

from patients.csv_import.check import Checked
from patients.csv_import.columns import Columns
from sightsync.lib import spreadsheet


def to_csv(columns: Columns, rows: list[Checked]) -> bytes:
    """The rejected rows as they were, each with its row number and what is wrong with it."""
    header = columns.header.cells
    table: list[list[object]] = [[*header, "row", "reason"]]
    for checked in rows:
        cells = list(checked.row.cells)
        cells += [""] * (len(header) - len(cells))
        table.append([*cells, checked.row.number, " ".join(checked.reasons)])
    return spreadsheet.to_csv(table)
