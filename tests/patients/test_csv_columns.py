"""Which column is what, and the words in them."""

import pytest

from patients.csv_import import columns, words
from patients.csv_import.reader import Row


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("first_name", "first_name"),
        ("First Names", "first_name"),
        ("FORENAME", "first_name"),
        ("Surname", "last_name"),
        ("D.O.B.", "date_of_birth"),
        ("Mobile No.", "phone_number"),
        ("home-phone", "phone_number"),
        ("E-Mail Address", "email"),
        ("last_eye_test_date", "last_eye_test_date"),
        ("Last Sight Test", "last_eye_test_date"),
        ("Start Date", "last_eye_test_date"),
        ("Next Test Due", "pms_recall_date"),
        ("Recall", "pms_recall_date"),
        ("Recall Type", "risk_category"),
        ("NHS #", "nhs_number"),
        ("Px No", "external_id"),
        ("consent_sms", "sms_ok"),
        ("Do not contact", "no_contact"),
        ("Favourite colour", None),
        ("", None),
    ],
)
def test_practice_systems_column_names_are_known(header: str, field: str | None) -> None:
    assert columns.field_of(header) == field


def test_no_name_means_two_fields() -> None:
    seen: dict[str, str] = {}
    for line in columns.ALIASES.strip().splitlines():
        name, _, aliases = line.partition(": ")
        for alias in aliases.split(", "):
            assert seen.setdefault(alias, name) == name
            assert columns.field_of(alias) == name


def test_mobile_comes_before_home_before_work() -> None:
    header = Row(1, ["Work Tel", "Name", "Home Tel", "Telephone", "Mobile", "Name", "Colour"])
    found = columns.columns_of(header)
    assert found.phones == [4, 3, 2, 0]
    assert found.at == {"full_name": 1}
    assert found.unused == ["Name", "Colour"]


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("diabetic", "diabetic"),
        ("Type 2 Diabetes", "diabetic"),
        ("T2DM", "diabetic"),
        ("non-diabetic", "standard"),
        ("not diabetic", "standard"),
        ("glaucoma_suspect", "glaucoma_suspect"),
        ("OHT", "glaucoma_suspect"),
        ("FH Glaucoma", "glaucoma_suspect"),
        ("myopia_child", "myopia_child"),
        ("Myopia control", "myopia_child"),
        ("contact_lens", "contact_lens"),
        ("CLs", "contact_lens"),
        ("other_clinical", "other_clinical"),
        ("AMD", "other_clinical"),
        ("standard", "standard"),
        ("VIP", "standard"),
        ("Diabetic, CL", "diabetic"),
        ("CL / myopia", "myopia_child"),
        ("", "standard"),
    ],
)
def test_risk_words_are_understood_and_the_strictest_counts(text: str, category: str) -> None:
    assert words.risk(text) == category


def test_consent_is_yes_no_or_nothing_said() -> None:
    assert [words.agrees(word) for word in ("Y", "no", "", "N/A", "x")] == [
        True,
        False,
        None,
        None,
        True,
    ]
    with pytest.raises(words.Unclear):
        words.agrees("maybe")


def test_a_note_in_a_do_not_contact_column_counts_as_set() -> None:
    assert words.is_set("per daughter 2021")
    assert not words.is_set("No")
    assert not words.is_set("")
