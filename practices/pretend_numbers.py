"""Phone numbers for sandbox practices, from the ranges that Ofcom keeps for fiction.

They reach nobody, so that a practice can be tried before it has a number of its own.
"""

import secrets

from practices.models import Practice
from sightsync.lib.errors import AppError

# Area codes whose 496 0000 to 496 0999 are never given to anybody.
_AREAS = ("113", "114", "115", "116", "117", "118", "121", "131", "141", "151", "161")
_TRIES = 50


def unused() -> str:
    """A landline number (E.164) that no practice here calls from. Raises AppError."""
    for _ in range(_TRIES):
        number = f"+44{secrets.choice(_AREAS)}4960{secrets.randbelow(1000):03d}"
        if not Practice.objects.filter(caller_number=number).exists():
            return number
    raise AppError("no_pretend_number", "All numbers for sandbox practices are taken.")
