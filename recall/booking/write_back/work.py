"""What a claim hands to whoever writes: all that a request needs, and the proof of the claim."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from integrations.models import Connection
from integrations.pms.connector import Entry, Standing
from recall.booking.write_back.states import Deed


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A claimed copy. `lease` proves the claim, `version` is what the request brings about, and
    `look` is true when we only ask what stands there. `kept_there`: the system made it itself.
    """

    copy_id: UUID
    lease: datetime
    connection: Connection
    deed: Deed
    version: int
    entry: Entry
    standing: Standing
    look: bool = False
    kept_there: bool = False
