"""Goals in plain English: a table of what each one means, and properties of the whole grammar."""

import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from patients.models import RiskCategory
from recall.campaigns import grammar
from recall.campaigns.choice import RISKS, Choice, Group
from recall.campaigns.grammar_text import MAX_LETTERS
from recall.campaigns.reading import RISK_WORDS, name, sentence, words
from recall.priority import RISK_ORDER

TODAY = date(2026, 11, 18)
GOALS = json.loads((Path(__file__).parents[2] / "data" / "goals.json").read_text("utf-8"))
UNDERSTOOD = [row for row in GOALS if "choice" in row]
REFUSED = [row for row in GOALS if "choice" not in row]
VOCABULARY = sorted({word for row in GOALS for word in row["goal"].split()})


def read(goal: str, today: date = TODAY, limit: int | None = None) -> grammar.Reading:
    return grammar.compile_goal(goal, today=today, limit=limit)


def test_the_table_is_large_enough_to_mean_something() -> None:
    assert len(UNDERSTOOD) >= 200
    assert len(REFUSED) >= 80
    assert len({row["goal"] for row in GOALS}) == len(GOALS)


@pytest.mark.parametrize("row", UNDERSTOOD, ids=lambda row: row["goal"])
def test_a_goal_means(row: dict) -> None:
    reading = read(row["goal"])
    assert reading.not_understood == ()
    assert reading.choice == Choice.from_json(row["choice"])
    assert reading.understood == tuple(words(reading.choice))


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row["goal"])
def test_a_goal_is_refused_with_the_exact_words(row: dict) -> None:
    reading = read(row["goal"])
    assert reading.choice is None
    assert list(reading.not_understood) == row["not_understood"]
    assert all(found in row["goal"] for found in reading.not_understood)
    assert reading.not_understood or reading.problem


@pytest.mark.parametrize("row", UNDERSTOOD, ids=lambda row: row["goal"])
def test_what_is_read_back_means_the_same(row: dict) -> None:
    choice = Choice.from_json(row["choice"])
    assert read(sentence(choice)).choice == choice


@pytest.mark.parametrize(
    ("today", "goal", "since"),
    [
        (date(2026, 11, 18), "not called this month", date(2026, 11, 1)),
        (date(2026, 3, 1), "not called this month", date(2026, 3, 1)),
        (date(2026, 11, 18), "not called this week", date(2026, 11, 16)),
        (date(2026, 11, 16), "not called this week", date(2026, 11, 16)),
        (date(2026, 1, 1), "not called since December", date(2025, 12, 1)),
        (date(2026, 1, 1), "not called since yesterday", date(2025, 12, 31)),
        (date(2024, 5, 31), "not called in the last 3 months", date(2024, 2, 29)),
        (date(2026, 11, 18), "not called since 18 November", date(2026, 11, 18)),
        (date(2026, 11, 18), "not called since 19 November", date(2025, 11, 19)),
    ],
)
def test_days_are_counted_from_today(today: date, goal: str, since: date) -> None:
    assert read(goal, today).choice == Choice(not_called_since=since)


def test_the_lower_limit_holds() -> None:
    assert read("the first 20 diabetics", limit=50).choice.limit == 20
    assert read("the first 60 diabetics", limit=50).choice.limit == 50
    assert read("the first 300 diabetics").choice.limit == 300
    assert read("diabetics").choice.limit == 200


def test_a_goal_that_is_too_long_is_refused_unread() -> None:
    reading = read("diabetics " * MAX_LETTERS)
    assert reading.choice is None
    assert str(MAX_LETTERS) in reading.problem


def test_a_reading_is_chips_and_a_sentence() -> None:
    choice = read(
        "Call all diabetic patients overdue by more than 12 months, not the ones we rang this month"
    ).choice
    assert words(choice) == [
        ("Risk", "diabetic"),
        ("Overdue", "more than 12 months"),
        ("Last called", "not since 1 November 2026"),
        ("At most", "200 patients"),
    ]
    assert sentence(choice) == (
        "diabetic patients, overdue by more than 12 months, not called since 1 November 2026;"
        " at most 200 patients"
    )
    assert name(choice).startswith("Diabetic patients, overdue by more than 12 months")
    assert words(Choice(only=("a", "b"))) == [("Chosen by hand", "2 patients")]


def test_a_name_fits_its_column() -> None:
    long = Choice(risks=RISKS, also=tuple(Group(risks=RISKS, age_from=age) for age in range(9)))
    assert len(name(long)) == 120


def test_the_risk_categories_are_the_patients() -> None:
    assert tuple(RISK_ORDER) == RISKS
    assert {risk: label.lower() for risk, label in RiskCategory.choices} == RISK_WORDS


# --- properties ---------------------------------------------------------------------------------

days = st.dates(date(2000, 1, 1), TODAY)
ages = st.one_of(st.none(), st.tuples(st.integers(0, 60), st.integers(61, 120)))


@st.composite
def groups(draw: st.DrawFn) -> Group:
    """A group as a goal may say it: nothing contradictory, categories in their order."""
    chosen = draw(st.sets(st.sampled_from(RISKS), max_size=3))
    said: dict[str, object] = {"risks": tuple(risk for risk in RISKS if risk in chosen)}
    low, high = draw(ages) or (None, None)
    said |= {"age_from": draw(st.sampled_from([low, None])), "age_to": high}
    said["overdue_months"] = draw(st.integers(0, 240))
    said["overdue_days"] = draw(st.sampled_from([0, 1, 42]))
    if draw(st.booleans()):
        said["overdue_below_months"] = draw(st.integers(0, 240))
        said["overdue_below_days"] = draw(st.sampled_from([0, 1, 30]))
    tested = sorted([draw(days), draw(days)])
    which = draw(st.sampled_from(["", "from", "to", "both", "never"]))
    if which in ("from", "both"):
        said["tested_from"] = tested[0]
    if which in ("to", "both"):
        said["tested_to"] = tested[1]
    said["never_tested"] = which == "never"
    for word in ("called", "contacted"):
        kind = draw(
            st.sampled_from(["", "", f"not_{word}_days", f"not_{word}_since", f"{word}_since"])
        )
        if kind:
            said[kind] = draw(st.integers(1, 900) if kind.endswith("days") else days)
        said[f"never_{word}"] = draw(st.booleans())
    said["has_appointment"] = draw(st.sampled_from([None, None, True, False]))
    return Group(**said)


@st.composite
def choices(draw: st.DrawFn) -> Choice:
    main = draw(groups())
    also = tuple(draw(st.lists(groups(), max_size=2)))
    out = tuple(Group(risks=(risk,)) for risk in draw(st.sets(st.sampled_from(RISKS), max_size=2)))
    limit = draw(st.integers(1, 5000))
    said = {field: getattr(main, field) for field in Group.__slots__}
    return Choice(**said, also=also, leaving_out=out, limit=limit)


def _plain(choice: Choice) -> bool:
    """No two groups that are one when read: the same, but for the category."""
    keys = [(str({**g.as_json(), "risks": 0}), bool(g.risks)) for g in choice.groups]
    return len(set(keys)) == len(keys)


@settings(max_examples=150, deadline=None)
@given(choices())
def test_every_choice_can_be_said_and_read_again(choice: Choice) -> None:
    if _plain(choice):
        assert len(sentence(choice)) > MAX_LETTERS or read(sentence(choice)).choice == choice


@settings(max_examples=150, deadline=None)
@given(choices())
def test_every_choice_survives_being_stored(choice: Choice) -> None:
    assert Choice.from_json(json.loads(json.dumps(choice.as_json()))) == choice


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(
        st.text(max_size=120),
        st.lists(st.sampled_from(VOCABULARY), max_size=14).map(" ".join),
        st.text("0123456789/.-+ and or not over under tested since aged", max_size=60),
    )
)
def test_no_goal_breaks_it_and_what_is_read_can_be_read_again(goal: str) -> None:
    reading = read(goal)
    if reading.choice is None:
        assert reading.not_understood or reading.problem
    else:
        assert reading.not_understood == ()
        assert reading.choice.main.contradiction is None
        said = sentence(reading.choice)
        assert len(said) > MAX_LETTERS or read(said).choice == reading.choice


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([row["goal"] for row in UNDERSTOOD]),
    # No word and no abbreviation of English begins so.
    st.text("bcdfghjklmnpqrstvwxz", min_size=4, max_size=12).map(lambda tail: f"zq{tail}"),
    st.integers(0, 30),
)
def test_a_word_that_is_not_known_always_surfaces(goal: str, word: str, place: int) -> None:
    spoken = goal.split()
    spoken.insert(place % (len(spoken) + 1), word)
    reading = read(" ".join(spoken))
    assert reading.choice is None
    assert any(word in found for found in reading.not_understood)
