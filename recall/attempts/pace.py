"""At most one call a second per carrier account, over all processes and machines.

Twilio queues what comes faster and may ring it hours later, outside calling hours. One row per
account holds the next free instant; one UPDATE gives it away.
"""

import time

from django.conf import settings
from django.db import connection

LONGEST_WAIT_S = 3.0

_RESERVE = """
    UPDATE integrations_carrierpace
    SET next_at = GREATEST(next_at, clock_timestamp()) + make_interval(secs => %(spacing)s)
    WHERE account = %(account)s
      AND next_at <= clock_timestamp() + make_interval(secs => %(patience)s)
    RETURNING EXTRACT(EPOCH FROM
        next_at - make_interval(secs => %(spacing)s) - clock_timestamp())
"""
_OPEN = """
    INSERT INTO integrations_carrierpace (account, next_at)
    VALUES (%(account)s, clock_timestamp()) ON CONFLICT DO NOTHING
"""


def reserve(account: str, *, patience_s: float = LONGEST_WAIT_S) -> float | None:
    """Seconds until this caller's slot (0 for now); None when none is free within `patience_s`.

    The database's clock is used, so that machines whose clocks differ still keep the pace.
    """
    values = {
        "account": account,
        "spacing": settings.CARRIER_CALL_SPACING_S,
        "patience": patience_s,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RESERVE, values)
        row = cursor.fetchone()
        if row is None:
            cursor.execute(_OPEN, values)
            cursor.execute(_RESERVE, values)
            row = cursor.fetchone()
    return None if row is None else max(0.0, float(row[0]))


def wait(account: str, *, patience_s: float = LONGEST_WAIT_S) -> bool:
    """Wait for a slot; False when none came free in time: leave the call for a later tick."""
    seconds = reserve(account, patience_s=patience_s)
    if seconds is None:
        return False
    time.sleep(seconds)
    return True
