"""Which words a practice has approved for its messages, and approving them."""

from django.db import transaction

from practices import journal
from practices.journal import Actor
from practices.models import Practice, User
from recall.messages import wordings
from recall.models import MessageText
from sightsync.lib import clock
from sightsync.lib.errors import AppError


def text_of(practice: Practice, name: str) -> str:
    """The practice's own text of that name; blank when it uses the product's."""
    found = MessageText.objects.filter(practice=practice, name=name).values_list("text", flat=True)
    return found.first() or ""


def shown(practice: Practice, name: str) -> str:
    """The text that is used: the practice's own, or the product's."""
    return text_of(practice, name) or wordings.RULES[name].default


def approve(*, practice: Practice, name: str, text: str, user: User, actor: Actor) -> bool:
    """Use these words from now on; the product's own words end the practice's. Whether anything
    changed. Raises AppError 400 with what is wrong; promotional words are never taken.
    """
    text = text.replace("\r\n", "\n").strip()
    judged = wordings.judge(name, text)
    if not judged.is_fine:
        raise AppError("bad_wording", _first_fault(judged), 400)
    with transaction.atomic():
        Practice.objects.select_for_update().get(pk=practice.pk)
        if text_of(practice, name) == text or (
            text == wordings.RULES[name].default and not text_of(practice, name)
        ):
            return False
        if text == wordings.RULES[name].default:
            MessageText.objects.filter(practice=practice, name=name).delete()
        else:
            MessageText.objects.update_or_create(
                practice=practice,
                name=name,
                defaults={"text": text, "approved_by": user, "approved_at": clock.now()},
            )
        journal.record(
            practice=practice, action="wording.approved", actor=actor, facts={"name": name}
        )
    return True


def _first_fault(judged: wordings.Judged) -> str:
    if judged.problems:
        return judged.problems[0].message
    mark = judged.marks[0]
    why = "promotes something" if mark.fault == "promotion" else "says something of an illness"
    return f"Take “{mark.word}” out: it {why}, which a recall may not do."
