"""Owns an import from its upload to its undoing, as the pages, the command and the jobs see it."""

from patients.csv_import.drafts import (
    BadRow,
    BadRows,
    bad_rows,
    columns,
    discard,
    fix,
    is_matched,
    leave_out_all,
    match,
    rejected_csv,
    upload,
)
from patients.csv_import.forecast import check, examples
from patients.csv_import.mapping import Column, DateQuestion, Field, fields
from patients.csv_import.undo import Preview, undo, undo_preview
from patients.csv_import.work import Progress, progress, start

__all__ = [
    "BadRow",
    "BadRows",
    "Column",
    "DateQuestion",
    "Field",
    "Preview",
    "Progress",
    "bad_rows",
    "check",
    "columns",
    "discard",
    "examples",
    "fields",
    "fix",
    "is_matched",
    "leave_out_all",
    "match",
    "progress",
    "rejected_csv",
    "start",
    "undo",
    "undo_preview",
    "upload",
]
