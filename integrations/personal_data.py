"""The inventory of this app's personal data: what a webhook's receiver answered, which may repeat
what it was sent.
"""

from collections.abc import Mapping

from sightsync.lib.personal import Handling

INVENTORY: Mapping[str, Mapping[str, Handling]] = {
    "SandboxClock": {},
    "CarrierPace": {"account": Handling.CODE},
    "Connection": {
        "kind": Handling.CODE,
        "state": Handling.CODE,
        "credential": Handling.CODE,
        "last_four": Handling.CODE,
        "settings": Handling.CODE,
        "error_code": Handling.CODE,
    },
    "DedicatedNumber": {
        "phone_number": Handling.CODE,
        "number_type": Handling.CODE,
        "state": Handling.CODE,
        "papers": Handling.CODE,
        "address_sid": Handling.CODE,
        "bundle_sid": Handling.CODE,
        "end_user_sid": Handling.CODE,
        "document_sid": Handling.CODE,
        "number_sid": Handling.CODE,
        "replaces": Handling.CODE,
        "reason": Handling.CODE,
    },
    "SeenAppointment": {
        "external_id": Handling.CODE,
        "diary_id": Handling.CODE,
        "reference": Handling.CODE,
        "digest": Handling.CODE,
    },
    "WebhookEndpoint": {
        "url": Handling.CODE,
        "events": Handling.CODE,
        "secret": Handling.CODE,
        "previous_secret": Handling.CODE,
        "disabled_reason": Handling.CODE,
    },
    "WebhookDelivery": {
        "event_type": Handling.CODE,
        "state": Handling.CODE,
        "error": Handling.CODE,
        "response_excerpt": Handling.ERASE,
        "tries": Handling.CODE,
    },
}
"""By model and field. `tests/test_guards.py` fails for a field that is missing."""
