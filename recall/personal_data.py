"""The inventory of this app's personal data: where somebody was reached, and what was said.

A list only: exporting and erasing are gdpr's.
"""

from collections.abc import Mapping

from sightsync.lib.personal import Handling

CODE, ERASE = Handling.CODE, Handling.ERASE

INVENTORY: Mapping[str, Mapping[str, Handling]] = {
    "Diary": {"name": CODE},
    "DiaryHours": {},
    "Closure": {"first_day": CODE, "last_day": CODE},
    "Appointment": {"status": CODE, "source": CODE},
    "PatientLink": {"kind": CODE, "token_hash": CODE},
    "Campaign": {"name": CODE, "filters": CODE, "state": CODE},
    "CampaignPatient": {"codes": CODE},
    "Episode": {"cycle_due_date": ERASE, "state": CODE, "reason": CODE},
    "Attempt": {
        "channel": CODE,
        "purpose": CODE,
        "state": CODE,
        "outcome": CODE,
        "reason": CODE,
        "destination": ERASE,
        "receipt": CODE,
        "provider": CODE,
        "provider_ref": CODE,
        "provider_status": CODE,
        "error_code": CODE,
        "answered_by": CODE,
        "summary": ERASE,
        "recording": ERASE,
        "dialogue": ERASE,
        "extended": ERASE,
    },
    "CallTurn": {"speaker": CODE, "text": ERASE, "digits": ERASE, "intent": CODE},
    "ProviderEvent": {"provider_ref": CODE, "key": CODE, "status": CODE, "error_code": CODE},
    "InboundMessage": {
        "channel": CODE,
        "provider_ref": CODE,
        "sender": ERASE,
        "body": ERASE,
        "meaning": CODE,
    },
    "StaffTask": {"kind": CODE, "done_code": CODE},
    "AppointmentCopy": {
        "state": CODE,
        "external_id": CODE,
        "external_version": CODE,
        "reason": CODE,
    },
    "BusyTime": {"external_id": CODE},
    "TheirAppointment": {"external_id": CODE, "status": CODE},
    "MessageText": {"name": CODE, "text": CODE},
    "TestMessage": {
        "channel": CODE,
        "destination": CODE,
        "state": CODE,
        "provider": CODE,
        "provider_ref": CODE,
        "provider_status": CODE,
        "error_code": CODE,
    },
}
"""By model and field. `tests/test_guards.py` fails for a field that is missing."""
