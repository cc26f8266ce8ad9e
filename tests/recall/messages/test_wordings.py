"""A practice's own words: what they must have, what they may not say, and where they are used."""

import pytest

from practices.journal import Actor
from practices.models import JournalEntry, Practice, User
from recall.messages import approved, recall_letters, wordings
from recall.models import MessageText, Text
from sightsync.lib.errors import AppError

ACTOR = Actor.system("test")
GOOD = "Hello {first_name},\n\nIt is time. Book here:\n\n{booking_link}\n\nRegards, {practice}"


@pytest.mark.parametrize("name", wordings.RULES)
def test_the_standard_texts_are_fine(name: str) -> None:
    assert wordings.judge(name, wordings.RULES[name].default).is_fine


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (Text.EMAIL_RECALL_BODY, "", "Enter the text"),
        (Text.EMAIL_RECALL_BODY, "Book now.", "Put {booking_link} in"),
        (Text.EMAIL_RECALL_BODY, "{booking_link} {nhs_number}", "Take {nhs_number} out"),
        (Text.EMAIL_RECALL_BODY, "{booking_link} {practice", "Close every brace"),
        (Text.EMAIL_RECALL_BODY, "{booking_link}" + "x" * 3000, "Use up to 3000 characters"),
        (Text.EMAIL_RECALL_SUBJECT, "{practice}\nagain", "on one line"),
        (Text.WHATSAPP_RECALL, "{practice} {booking_link}", "Put {opt_out_link} in"),
    ],
)
def test_what_is_missing_is_said(name: str, text: str, said: str) -> None:
    assert any(said in problem.message for problem in wordings.judge(name, text).problems)


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("Enjoy 20% off new frames", "promotion"),
        ("Our autumn offer ends soon", "promotion"),
        ("because of your diabetes", "condition"),
        ("your glaucoma check", "condition"),
    ],
)
def test_promotion_and_illness_are_marked_in_place(words: str, fault: str) -> None:
    judged = wordings.judge(Text.EMAIL_RECALL_BODY, f"{words} {{booking_link}}")
    assert not judged.is_fine
    assert fault in {str(mark.fault) for mark in judged.marks}
    text = f"{words} {{booking_link}}"
    shown = wordings.pieces(text, judged.marks)
    assert "".join(piece.text for piece in shown) == text
    assert any(piece.fault == fault for piece in shown)


@pytest.mark.django_db
def test_approved_words_are_what_patients_get(practice: Practice, alice: User) -> None:
    assert approved.approve(
        practice=practice, name=Text.EMAIL_RECALL_BODY, text=GOOD, user=alice, actor=ACTOR
    )
    sent = recall_letters.email(practice, recall_letters.SAMPLE)
    assert "It is time. Book here:" in sent.body
    assert recall_letters.SAMPLE.booking_url in sent.body
    assert recall_letters.SAMPLE.opt_out_url in sent.body
    assert recall_letters.SAMPLE.booking_url in sent.html
    assert "Choose a time" in sent.html
    assert sent.headers["List-Unsubscribe"].startswith(f"<{recall_letters.SAMPLE.opt_out_url}")
    entry = JournalEntry.objects.get(action="wording.approved")
    assert entry.facts == {"name": "email_recall_body"}


@pytest.mark.django_db
def test_approving_the_same_again_changes_nothing(practice: Practice, alice: User) -> None:
    for expected in (True, False):
        assert (
            approved.approve(
                practice=practice, name=Text.EMAIL_RECALL_BODY, text=GOOD, user=alice, actor=ACTOR
            )
            is expected
        )
    assert JournalEntry.objects.filter(action="wording.approved").count() == 1


@pytest.mark.django_db
def test_going_back_to_the_standard_text_forgets_the_own_one(
    practice: Practice, alice: User
) -> None:
    for text in (GOOD, wordings.RULES[Text.EMAIL_RECALL_BODY].default):
        approved.approve(
            practice=practice, name=Text.EMAIL_RECALL_BODY, text=text, user=alice, actor=ACTOR
        )
    assert not MessageText.objects.exists()
    assert "Our records show" in recall_letters.email(practice, recall_letters.SAMPLE).body


@pytest.mark.django_db
def test_promotion_is_never_approved(practice: Practice, alice: User) -> None:
    with pytest.raises(AppError) as refusal:
        approved.approve(
            practice=practice,
            name=Text.EMAIL_RECALL_BODY,
            text="Half-price lenses! {booking_link}",
            user=alice,
            actor=ACTOR,
        )
    assert "Half-price" in refusal.value.message
    assert not MessageText.objects.exists()


@pytest.mark.django_db
def test_html_in_a_text_is_text(practice: Practice, alice: User) -> None:
    text = "<script>alert(1)</script>\n\n{booking_link}"
    approved.approve(
        practice=practice, name=Text.EMAIL_RECALL_BODY, text=text, user=alice, actor=ACTOR
    )
    assert "<script>" not in recall_letters.email(practice, recall_letters.SAMPLE).html


@pytest.mark.django_db
def test_free_whatsapp_text_is_the_practices_own(practice: Practice, alice: User) -> None:
    text = "{practice} here. Book: {booking_link} Stop: {opt_out_link}"
    approved.approve(
        practice=practice, name=Text.WHATSAPP_RECALL, text=text, user=alice, actor=ACTOR
    )
    content = recall_letters.whatsapp(practice, recall_letters.SAMPLE, is_free=True)
    assert content.body.startswith("Acuity Opticians, 0118 496 0000 here.")
    template = recall_letters.whatsapp(practice, recall_letters.SAMPLE, is_free=False)
    assert template.template == recall_letters.SANDBOX_TEMPLATE
    assert template.variables["4"] == recall_letters.SAMPLE.booking_url
