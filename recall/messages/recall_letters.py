"""The recall by email and by WhatsApp, in the practice's words where it has approved its own.

What patients are sent, what staff see beforehand and what they send themselves as a test are all
written here, so that they cannot differ.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from django.template.loader import render_to_string

from practices.models import Mode, Practice
from recall.attempts.carriers import Content
from recall.messages import approved, texts, wordings
from recall.models import Text

SANDBOX_TEMPLATE = "HX" + "5a" * 16
"""Stands for the approved WhatsApp template of a sandbox practice that has named none."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom it is for, and their private links."""

    first_name: str
    booking_url: str
    opt_out_url: str


SAMPLE = Recipient(
    first_name="Jane",
    booking_url="https://example.com/b/a-link-of-their-own",
    opt_out_url="https://example.com/o/a-link-of-their-own",
)
"""Nobody: for showing a text before it is used."""


def sender_of(practice: Practice) -> texts.Sender:
    """The practice as its messages name it."""
    return texts.Sender(
        name=practice.name,
        phone_number=practice.phone_number,
        examination=practice.examination_words or texts.DEFAULT_EXAMINATION,
    )


def values(practice: Practice, recipient: Recipient) -> dict[str, str]:
    """What each place of a text stands for."""
    sender = sender_of(practice)
    return {
        "first_name": recipient.first_name,
        "practice": sender.name,
        "examination": sender.examination,
        "phone": sender.phone,
        "booking_link": recipient.booking_url,
        "opt_out_link": recipient.opt_out_url,
    }


def email(
    practice: Practice, recipient: Recipient, own: Mapping[str, str] | None = None
) -> Content:
    """Subject, plain text and HTML, with the mail program's own opt-out button (RFC 8058), which
    needs both headers. `own` are texts by name in place of the approved ones.
    """
    own = own if own is not None else _approved(practice)
    filled = values(practice, recipient)
    context = {
        "practice": practice,
        "examination": filled["examination"],
        "first_name": recipient.first_name,
        "booking_url": recipient.booking_url,
        "opt_out_url": recipient.opt_out_url,
    }
    name = "body"
    if text := own.get(Text.EMAIL_RECALL_BODY):
        name = "own"
        context["parts"] = parts(text, filled)
        context["text"] = wordings.fill(text, filled)
    subject = (
        own.get(Text.EMAIL_RECALL_SUBJECT) or wordings.RULES[Text.EMAIL_RECALL_SUBJECT].default
    )
    return Content(
        subject=" ".join(wordings.fill(subject, filled).split()),
        body=render_to_string(f"emails/recall/{name}.txt", context).strip() + "\n",
        html=render_to_string(f"emails/recall/{name}.html", context),
        headers=unsubscribe_headers(recipient.opt_out_url),
    )


def unsubscribe_headers(opt_out_url: str) -> dict[str, str]:
    """What makes a mail program offer its own button to unsubscribe."""
    return {
        "List-Unsubscribe": f"<{opt_out_url}/one-click>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def parts(text: str, filled: Mapping[str, str]) -> list[tuple[str, bool]]:
    """Each paragraph, filled, and whether it is the booking link alone: that becomes a button."""
    return [
        (wordings.fill(part, filled), part == "{booking_link}")
        for part in wordings.paragraphs(text)
    ]


def _approved(practice: Practice) -> dict[str, str]:
    names = (Text.EMAIL_RECALL_SUBJECT, Text.EMAIL_RECALL_BODY)
    return {name: approved.text_of(practice, name) for name in names}


def template_of(practice: Practice) -> str:
    """The id of the approved WhatsApp template; blank when there is none."""
    if not practice.whatsapp_recall_template and practice.mode == Mode.SANDBOX:
        return SANDBOX_TEMPLATE
    return practice.whatsapp_recall_template


_PLACES = ("first_name", "practice", "examination", "booking_link", "opt_out_link")
"""What the variables 1 to 5 of the registered template stand for."""


def whatsapp(practice: Practice, recipient: Recipient, *, is_free: bool) -> Content:
    """Free text to a patient who wrote in the last 24 hours, else the template with its values."""
    if is_free:
        return Content(body=whatsapp_text(practice, recipient))
    return Content(template=template_of(practice), variables=_variables(practice, recipient))


def _variables(practice: Practice, recipient: Recipient) -> dict[str, str]:
    links = texts.Links(booking=recipient.booking_url, opt_out=recipient.opt_out_url)
    return texts.whatsapp_variables(
        sender=sender_of(practice), first_name=recipient.first_name, links=links
    )


def whatsapp_text(practice: Practice, recipient: Recipient, own: str = "") -> str:
    """The message in full, as the patient reads it."""
    text = own or approved.shown(practice, Text.WHATSAPP_RECALL)
    filled = _variables(practice, recipient).values()
    return wordings.fill(text, dict(zip(_PLACES, filled, strict=True)))
