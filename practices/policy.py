"""Changing what a practice has settled for itself. One door for every settings page."""

from typing import Any

from django.db import transaction

from practices import journal
from practices.journal import Actor
from practices.models import Practice


def change(*, practice: Practice, values: dict[str, Any], actor: Actor) -> list[str]:
    """Set the given fields; the names of those that changed. The journal has names, not values."""
    with transaction.atomic():
        row = Practice.objects.select_for_update().get(pk=practice.pk)
        changed = sorted(name for name, value in values.items() if getattr(row, name) != value)
        if not changed:
            return []
        for name in changed:
            setattr(row, name, values[name])
            setattr(practice, name, values[name])
        row.save(update_fields=changed)
        journal.record(
            practice=row, action="practice.changed", actor=actor, facts={"changed": changed}
        )
    return changed
