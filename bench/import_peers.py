"""What an import is measured against: Python's csv, COPY and INSERT ON CONFLICT without a look at
what is in the cells; and django-import-export, with its bulk mode on, for the same columns.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import phonenumbers
import tablib
from django.db import connection
from django.db.models import QuerySet
from import_export import fields, resources, widgets

from bench import import_list
from patients import nhs_number
from patients.csv_import import words
from patients.models import Patient
from patients.models.patient import RiskCategory
from practices.models import Practice
from sightsync.lib import clock, ids

_STAGE = "px, first_name, last_name, phone, email, born, seen, risk, nhs"


def make_floors(practice: UUID, known: bytes) -> None:
    """Two tables, anew: one with the columns, indexes and foreign key of the patients' own, one as
    bare as can be; with the patients known before in each.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET datestyle = 'ISO, DMY'")
        cursor.execute("DROP TABLE IF EXISTS floor_full, floor_bare")
        cursor.execute("CREATE TABLE floor_full (LIKE patients_patient INCLUDING ALL)")
        cursor.execute("CREATE UNIQUE INDEX ON floor_full (practice_id, phone_number)")
        cursor.execute(
            "ALTER TABLE floor_full ALTER phone_number TYPE varchar(40), "
            "ADD FOREIGN KEY (practice_id) REFERENCES practices_practice"
        )
        cursor.execute(
            "CREATE TABLE floor_bare (id uuid PRIMARY KEY, practice_id uuid, external_id text,"
            " first_name text, last_name text, phone_number text, email text, date_of_birth date,"
            " last_eye_test_date date, risk_category text, nhs_number text,"
            " UNIQUE (practice_id, phone_number))"
        )
    for table in ("floor_full", "floor_bare"):
        floor(table, practice, known)
        with connection.cursor() as cursor:
            cursor.execute(f"VACUUM ANALYZE {table}")


def floor(table: str, practice: UUID, content: bytes) -> None:
    """The same rows into one of the tables, in one transaction."""
    extra, values = "", ""
    if table == "floor_full":
        extra = """, source, title, nhs_number_hash, phone_kind, phone_is_drama, clinical_notes,
            next_clinical_due_date, due_source, due_reason, opted_out_source, opted_out_channels,
            extended, created_at, updated_at"""
        values = (
            ", 'csv', '', NULL, '', false, '', current_date, '', '', '', '{}', '{}', now(), now()"
        )
    columns = (
        "external_id, first_name, last_name, phone_number, email, date_of_birth,"
        " last_eye_test_date, risk_category, nhs_number"
    )
    written = ", ".join(f"{name} = EXCLUDED.{name}" for name in columns.split(", "))
    with connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(
            "CREATE TEMP TABLE stage (px text, first_name text, last_name text, phone text,"
            " email text, born text, seen text, risk text, nhs text) ON COMMIT DROP"
        )
        with cursor.copy(f"COPY stage ({_STAGE}) FROM STDIN") as copy:
            for row in import_list.read(content):
                copy.write_row(row)
        cursor.execute(
            f"INSERT INTO {table} (id, practice_id, {columns}{extra})"
            f" SELECT gen_random_uuid(), %s, px, first_name, last_name, phone, email, born::date,"
            f" seen::date, left(risk, 16), nhs{values} FROM stage"
            f" ON CONFLICT (practice_id, phone_number) DO UPDATE SET {written}",
            [practice],
        )
        cursor.execute("COMMIT")


class _Phone(widgets.CharWidget):
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        try:
            number = phonenumbers.parse(value, "GB")
        except phonenumbers.NumberParseException as error:
            raise ValueError(str(error)) from error
        if not phonenumbers.is_valid_number(number):
            raise ValueError("not a number")
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class _Date(widgets.DateWidget):
    def __init__(self) -> None:
        super().__init__()
        self.formats = ("%d/%m/%Y", "%Y-%m-%d")


class _Risk(widgets.CharWidget):
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        return words.recognised_risk(value) or RiskCategory.STANDARD


class _NhsNumber(widgets.CharWidget):
    def clean(self, value: Any, row: Any = None, **kwargs: Any) -> str:
        return nhs_number.digits_of(value) if value else ""


class PatientResource(resources.ModelResource):
    """As its documentation has it, with the bulk mode, and no comparison of each field. It takes
    what the cells hold, if it is a number or a date.
    """

    external_id = fields.Field("external_id", "Px No")
    phone_number = fields.Field("phone_number", "Mobile", widget=_Phone())
    first_name = fields.Field("first_name", "Forename")
    last_name = fields.Field("last_name", "Surname")
    email = fields.Field("email", "E-mail")
    date_of_birth = fields.Field("date_of_birth", "D.O.B.", widget=_Date())
    last_eye_test_date = fields.Field("last_eye_test_date", "Last Exam", widget=_Date())
    risk_category = fields.Field("risk_category", "Recall Category", widget=_Risk())
    nhs_number = fields.Field("nhs_number", "NHS No")

    class Meta:
        model = Patient
        import_id_fields = ("external_id",)
        fields = (
            "external_id",
            "phone_number",
            "first_name",
            "last_name",
            "email",
            "date_of_birth",
            "last_eye_test_date",
            "risk_category",
            "nhs_number",
        )
        use_bulk = True
        skip_diff = True
        batch_size = 1000

    def __init__(self, practice: Practice) -> None:
        super().__init__()
        self.practice = practice
        self.now: datetime = clock.now()

    def get_queryset(self) -> QuerySet[Patient]:
        return Patient.objects.filter(practice=self.practice)

    def after_init_instance(self, instance: Patient, new: bool, row: Any, **kwargs: Any) -> None:
        instance.practice = self.practice
        instance.id = instance.id or ids.new()
        instance.created_at = instance.updated_at = self.now
        instance.next_clinical_due_date = self.now.date()
        instance.due_source = "default_interval"


class ValidatingResource(PatientResource):
    """The same, as its documentation has it for rows that may be wrong: each record is validated,
    and those that fail are reported and left out, as an import here does.
    """

    nhs_number = fields.Field("nhs_number", "NHS No", widget=_NhsNumber())

    class Meta(PatientResource.Meta):
        clean_model_instances = True


def import_export(practice: Practice, content: bytes, *, validating: bool) -> tuple[int, int, int]:
    """The list by django-import-export; how many rows were new, updated and invalid. Only the
    `validating` one can tell all bad rows.
    """
    data = tablib.Dataset(headers=list(import_list.HEADER))
    for row in import_list.read(content):
        data.append(row)
    resource = ValidatingResource if validating else PatientResource
    result = resource(practice).import_data(data, raise_errors=not validating)
    if result.has_errors():
        raise RuntimeError(result.row_errors()[0][1][0].error)
    return result.totals["new"], result.totals["update"], result.totals["invalid"]
