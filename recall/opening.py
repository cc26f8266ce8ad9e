"""Opening a practice for recalls: its people (one floor down) and a first diary to book into."""

from datetime import time

from django.db import transaction

from practices import journal, team
from practices.journal import Actor
from practices.models import Mode, Plan, Practice
from recall.models import Diary, DiaryHours

_FIRST_DIARY = "Testing room 1"
_OPENS, _LUNCH, _BACK, _CLOSES = time(9), time(13), time(14), time(17, 30)


def open_practice(
    *,
    name: str,
    owner_email: str,
    actor: Actor,
    plan: str = Plan.GROWTH,
    mode: str = Mode.SANDBOX,
    owner_password: str | None = None,
) -> team.Opened:
    """A practice that can recall at once. Raises AppError and then wrote nothing."""
    with transaction.atomic():
        opened = team.create_practice(
            name=name,
            owner_email=owner_email,
            plan=plan,
            mode=mode,
            owner_password=owner_password,
            actor=actor,
        )
        add_diary(practice=opened.practice, name=_FIRST_DIARY, actor=actor)
    return opened


def add_diary(*, practice: Practice, name: str, actor: Actor) -> Diary:
    """A diary with an optician's usual week: Monday to Friday, an hour's lunch, half past five."""
    with transaction.atomic():
        diary = Diary.objects.create(practice=practice, name=name)
        DiaryHours.objects.bulk_create(
            DiaryHours(practice=practice, diary=diary, weekday=weekday, opens=opens, closes=closes)
            for weekday in range(5)
            for opens, closes in ((_OPENS, _LUNCH), (_BACK, _CLOSES))
        )
        journal.record(practice=practice, action="diary.created", actor=actor, subject=diary)
    return diary
