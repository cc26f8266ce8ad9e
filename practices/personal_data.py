"""The inventory of this app's personal data: staff accounts, and what practices say of themselves.

A patient's erasure leaves all of it: none is about a patient. The journal holds ids and codes only.
"""

from collections.abc import Mapping

from sightsync.lib.personal import Handling

CODE, ERASE = Handling.CODE, Handling.ERASE

INVENTORY: Mapping[str, Mapping[str, Handling]] = {
    "Practice": {
        "name": CODE,
        "mode": CODE,
        "time_zone": CODE,
        "nation": CODE,
        "address": CODE,
        "phone_number": CODE,
        "caller_number": CODE,
        "email": CODE,
        "calling_weekdays": CODE,
        "recall_intervals": CODE,
        "whatsapp_number": CODE,
        "whatsapp_recall_template": CODE,
        "examination_words": CODE,
        "symptom_advice": CODE,
        "plan": CODE,
        "subscription_status": CODE,
    },
    # A member of staff, not a patient: cleared when the person's account is closed.
    "User": {"password": ERASE, "email": ERASE, "full_name": ERASE},
    "Membership": {"role": CODE},
    "ApiKey": {
        "name": CODE,
        "prefix": CODE,
        "last_four": CODE,
        "key_hash": CODE,
        "scopes": CODE,
    },
    # Forgotten after a day at most, and with the erasure of a patient it is about.
    "StoredAnswer": {
        "request_hash": CODE,
        "body_hash": CODE,
        "headers": CODE,
        "answer": ERASE,
        "patients": CODE,
    },
    "ApiCount": {},
    "MonthlyUsage": {"month": CODE},
    "JournalEntry": {
        "actor_kind": CODE,
        "actor_id": CODE,
        "action": CODE,
        "subject_type": CODE,
        "subject_id": CODE,
        "facts": CODE,
        "hash": CODE,
    },
    "Heartbeat": {"name": CODE},
    "JobTry": {"key": CODE},
}
"""By model and field. `tests/test_guards.py` fails for a field that is missing."""
