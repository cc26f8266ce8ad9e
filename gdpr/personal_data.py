"""The inventory of this app's personal data: the export that answers an access request."""

from collections.abc import Mapping

from sightsync.lib.personal import Handling

INVENTORY: Mapping[str, Mapping[str, Handling]] = {
    "DataRequest": {
        "type": Handling.CODE,
        "status": Handling.CODE,
        "due_on": Handling.CODE,
        "failure": Handling.CODE,
        "actor_kind": Handling.CODE,
        "actor_id": Handling.CODE,
        "export": Handling.ERASE,
    },
    "CarrierDeletion": {"recording": Handling.CODE, "error_code": Handling.CODE},
}
"""By model and field. `tests/test_guards.py` fails for a field that is missing."""
