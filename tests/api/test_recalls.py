"""GET /recalls: every due patient once, with a state and a reason."""

from datetime import date

import pytest

from patients import opt_out
from recall import standing
from tests import engine

pytestmark = pytest.mark.django_db


@pytest.fixture
def due(practice, other_practice):
    engine.register()
    people = {
        "begun": engine.patient(practice, "+447700900001", next_clinical_due_date=date(2026, 3, 1)),
        "opted": engine.patient(practice, "+447700900002", next_clinical_due_date=date(2026, 2, 1)),
        "new": engine.patient(
            practice,
            "+447700900003",
            next_clinical_due_date=date(2026, 1, 1),
            risk_category="diabetic",
        ),
    }
    engine.patient(practice, "+447700900004", next_clinical_due_date=date(2027, 1, 1))
    engine.patient(other_practice, "+447700900005")
    engine.planned(people["begun"])
    opt_out.record(patient=people["opted"], source="staff", actor=engine.ACTOR)
    return people


def test_everybody_due_and_where_they_stand(api, due) -> None:
    body = api.get("/recalls").json()
    assert (body["total"], body["limit"], body["offset"]) == (3, 100, 0)
    rows = [(row["patient_id"], row["state"], row["reason"]) for row in body["recalls"]]
    assert rows == [
        (due["new"].public_id, "due", "not_started"),
        (due["opted"].public_id, "opted_out", "opted_out"),
        (due["begun"].public_id, "contacting", "contacting"),
    ]
    first, _, last = body["recalls"]
    assert (first["recall_id"], first["opened_at"]) == (None, None)
    assert last["recall_id"].startswith("rec_")
    assert last["patient"] == {"first_name": "Jane", "last_name": ""}
    assert last["next_clinical_due_date"] == "2026-03-01"


def test_filters(api, due) -> None:
    def found(**query: str) -> list[str]:
        body = api.get("/recalls", query).json()
        assert body["total"] == len(body["recalls"])
        return [row["patient_id"] for row in body["recalls"]]

    assert found(state="contacting") == [due["begun"].public_id]
    assert found(state="booked") == []
    assert found(risk_category="diabetic") == [due["new"].public_id]
    assert found(patient_id=due["opted"].public_id) == [due["opted"].public_id]
    assert found(state="due", risk_category="standard") == []
    assert found(state="due", patient_id=due["new"].public_id) == [due["new"].public_id]
    assert found(state="due", patient_id=due["opted"].public_id) == []
    assert found(state="opted_out") == [due["opted"].public_id]


def test_paging(api, due) -> None:
    whole = [row["patient_id"] for row in api.get("/recalls").json()["recalls"]]
    page = api.get("/recalls", {"limit": 1, "offset": 1}).json()
    assert ([row["patient_id"] for row in page["recalls"]], page["total"]) == (whole[1:2], 3)
    by_size = api.get("/recalls", {"size": 2, "start": 3}).json()
    assert [row["patient_id"] for row in by_size["data"]] == whole[2:]
    past = api.get("/recalls", {"offset": 9}).json()
    assert (past["recalls"], past["total"]) == ([], 3)


@pytest.mark.parametrize(
    ("name", "value"), [("state", "x"), ("risk_category", "x"), ("limit", "501"), ("start", "0")]
)
def test_bad_parameters_are_400(api, name, value, assert_error) -> None:
    assert_error(api.get("/recalls", {name: value}), 400, "invalid", name)


def test_another_practice_sees_none_of_it(other_api, due) -> None:
    assert other_api.get("/recalls").json()["total"] == 1
    assert other_api.get("/recalls", {"patient_id": due["new"].public_id}).json()["total"] == 0


def test_a_few_stand_as_all_do(practice, due) -> None:
    everybody = {one.patient_id: one for one in standing.standing(practice)}
    for patient in due.values():
        assert list(standing.standing(practice, patients=[patient.pk])) == [everybody[patient.pk]]


def test_constant_queries(api, due, django_assert_num_queries) -> None:
    api.get("/recalls")
    for limit in (1, 3):
        with django_assert_num_queries(9):
            api.get("/recalls", {"limit": limit})
        with django_assert_num_queries(8):
            api.get("/recalls", {"limit": limit, "state": "due"})
