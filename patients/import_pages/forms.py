"""The forms of the import pages: the file, which column is what, and the cells to be put right."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict

from patients.csv_import import reader

MEGABYTE = 1024 * 1024
TOO_BIG = (
    f"The file is larger than {reader.MAX_BYTES // MEGABYTE} MB. "
    "Export fewer columns, or split the list and import the parts one after the other."
)
_OTHER_KINDS = {
    ".xls": "This is an old Excel file (.xls). Open it in Excel, save it as XLSX or CSV, and"
    " upload that.",
    ".numbers": "This is a Numbers file. In Numbers, choose File, Export to, CSV, and upload that.",
    ".ods": "This is an OpenDocument sheet. Save it as XLSX or CSV, and upload that.",
    ".pdf": "This is a PDF, a picture of the list. Export the list itself as CSV or XLSX.",
    ".zip": "This is a compressed folder. Unpack it, and upload the CSV or XLSX file inside.",
}


class UploadForm(forms.Form):
    """Size and kind; whether it can be read is the reader's to say."""

    file = forms.FileField(
        label="Choose a file",
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx,.xlsm,text/csv"}),
        error_messages={
            "required": "Choose the file to upload.",
            "missing": "Choose the file to upload.",
            "invalid": "Choose the file to upload.",
            "empty": "The file is empty. Export the list again.",
        },
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > reader.MAX_BYTES:
            raise forms.ValidationError(TOO_BIG, code="too_big")
        kind = _OTHER_KINDS.get(PurePath(file.name).suffix.lower())
        if kind:
            raise forms.ValidationError(kind, code="other_kind")
        return file

    @classmethod
    def refused(cls, message: str) -> "UploadForm":
        """A form that shows the message by the file, without anything having been read."""
        form = cls({}, MultiValueDict())
        form.errors.clear()
        form.add_error("file", message)
        return form


def cell_name(row_number: int, field: str) -> str:
    """The name of an input, by row and field."""
    return f"row-{row_number}-{field}"


def edited(data: Mapping[str, str], row_number: int, shown: Mapping[str, str]) -> dict[str, str]:
    """What was typed into a row's inputs and differs from what they showed, by field."""
    found = {}
    for field, before in shown.items():
        typed = data.get(cell_name(row_number, field))
        if typed is not None and typed.strip() != before.strip():
            found[field] = typed.strip()[: reader.MAX_CELL]
    return found
