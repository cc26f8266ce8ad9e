"""New recall: a goal in plain English becomes filters that can be seen and corrected."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from practices.models import Practice
from recall.campaigns import goal
from recall.campaigns.choice import Choice, Group
from recall.campaigns.grammar import Reading
from recall.models import Campaign
from recall.views.choosing import form_of
from tests import engine

pytestmark = pytest.mark.django_db

GOAL = "Call all diabetic patients overdue by more than 12 months, not the ones we rang this month"


@pytest.fixture(autouse=True)
def _register(db: None) -> None:
    engine.register()


def say(owner: Client, words: str):
    return owner.post("/recall/new", {"goal": words})


def test_a_goal_becomes_the_address_of_its_filters(owner: Client) -> None:
    answer = say(owner, GOAL)
    assert answer.status_code == 302
    address = urlsplit(answer["Location"])
    assert address.path == "/recall/new"
    assert parse_qs(address.query) == {
        "risks": ["diabetic"],
        "overdue_months": ["12"],
        "overdue_days": ["1"],
        "not_called_since": ["2026-11-01"],
    }
    page = owner.get(answer["Location"]).content.decode()
    chips = re.findall(r'<li class="chip">(.*?)</li>', page)
    assert chips[:3] == [
        "Risk <b>diabetic</b>",
        "Overdue <b>more than 12 months</b>",
        "Last called <b>not since 1 November 2026</b>",
    ]
    assert "diabetic patients, overdue by more than 12 months" in page


def test_the_words_that_were_typed_are_not_in_the_address(owner: Client) -> None:
    assert "rang" not in say(owner, GOAL)["Location"]


def test_what_is_not_understood_is_said_at_the_field_and_nothing_can_be_started(
    owner: Client, practice: Practice
) -> None:
    engine.patient(practice, risk_category="diabetic")
    answer = say(owner, "call the rude diabetics")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Not understood: “rude”." in page
    assert 'id="id_goal_error"' in page
    assert "call the rude diabetics" in page
    assert "Risk <b>diabetic</b>" in page
    assert 'value="diabetic" class="" id="id_risks_1" checked' in page or re.search(
        r'value="diabetic"[^>]*checked', page
    )
    assert "/recall/start" not in page


@pytest.mark.parametrize("words", ["", "   ", "x" * 501])
def test_a_goal_that_says_nothing_or_too_much_is_refused(owner: Client, words: str) -> None:
    answer = say(owner, words)
    assert answer.status_code == 422
    assert "There is a problem" in answer.content.decode()


def test_reading_a_goal_starts_nothing_and_starting_goes_by_its_filters(
    owner: Client, practice: Practice
) -> None:
    engine.patient(practice, risk_category="diabetic")
    engine.patient(practice, "+447700900002")
    address = say(owner, "diabetics")["Location"]
    assert not Campaign.objects.exists()
    page = owner.get(address).content.decode()
    assert "Call 1 patient<" in page
    token = re.search(r'name="start_token" value="([^"]+)"', page)
    assert token
    query = urlsplit(address).query
    owner.post(f"/recall/start?{query}", {"start_token": token[1]})
    assert Campaign.objects.get().filters == {"risks": ["diabetic"], "limit": 200}


def test_exceptions_and_alternatives_can_be_unticked(owner: Client) -> None:
    address = say(owner, "diabetics and over-70s except contact lens wearers")["Location"]
    page = owner.get(address).content.decode()
    assert "patients aged 70 and over</label>" in page
    assert "contact lens patients</label>" in page


@pytest.mark.parametrize(
    "choice",
    [
        Choice(),
        Choice(risks=("diabetic", "standard"), overdue_months=7, overdue_days=1, limit=3),
        Choice(overdue_below_months=6, overdue_below_days=1, age_from=0, age_to=15),
        Choice(never_tested=True, never_called=True, never_contacted=True, not_called_days=45),
        Choice(has_appointment=True),
        Choice(
            has_appointment=False,
            also=(Group(age_from=70), Group(has_appointment=False)),
            leaving_out=(Group(risks=("standard",)),),
        ),
    ],
)
def test_the_form_filled_with_a_choice_asks_for_that_choice(choice: Choice) -> None:
    form = form_of(choice)
    assert form.choice() == choice, form.errors


@pytest.mark.parametrize(
    "query",
    [
        "leaving_out=nonsense",
        "also=%7B%22age_from%22%3A-4%7D",
        "leaving_out=%5B%5D",
        "tested_from=tomorrow",
        "overdue_months=99999",
        "overdue_days=-1",
        "has_appointment=perhaps",
        "tested_from=2024-02-01&tested_to=2024-01-01",
        "never_tested=on&tested_to=2024-01-01",
    ],
)
def test_a_made_up_address_is_refused_kindly(owner: Client, query: str) -> None:
    answer = owner.get(f"/recall/new?{query}")
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "There is a problem" in page
    assert "/recall/start" not in page


def test_what_a_model_added_is_said_before_anything_starts(owner: Client, monkeypatch) -> None:
    understood = (("Age", "65 and over"), ("Added by the language model", "age 65 and over"))
    monkeypatch.setattr(goal, "read", lambda _words: Reading(Choice(age_from=65), understood))
    answer = owner.post("/recall/new", {"goal": "the elderly"}, follow=True)
    assert "Added by the language model: age 65 and over." in answer.content.decode()
