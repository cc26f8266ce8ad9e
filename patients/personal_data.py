"""Owns the inventory of this app's personal data: for every field that could hold some, whether a
data request exports it and what an erasure leaves. A list only; exporting and erasing are gdpr's.
"""

from collections.abc import Mapping

from sightsync.lib.personal import Handling

INVENTORY: Mapping[str, Mapping[str, Handling]] = {
    "Patient": {
        "external_id": Handling.ERASE,
        "source": Handling.CODE,
        "title": Handling.ERASE,
        "first_name": Handling.ERASE,
        "last_name": Handling.ERASE,
        "date_of_birth": Handling.ERASE,
        "nhs_number": Handling.ERASE,
        "nhs_number_hash": Handling.ERASE,
        "phone_number": Handling.ERASE,
        "phone_kind": Handling.ERASE,
        "phone_hash": Handling.ERASE,
        "email": Handling.ERASE,
        "email_hash": Handling.ERASE,
        "last_eye_test_date": Handling.ERASE,
        "risk_category": Handling.ERASE,
        "clinical_notes": Handling.ERASE,
        "clinician_due_date": Handling.ERASE,
        "pms_recall_date": Handling.ERASE,
        "next_clinical_due_date": Handling.ERASE,
        "due_source": Handling.CODE,
        "due_reason": Handling.ERASE,
        "opted_out_source": Handling.KEEP,
        "opted_out_channels": Handling.KEEP,
        "extended": Handling.ERASE,
    },
    "Suppression": {
        "kind": Handling.CODE,
        "hash": Handling.KEEP,
        "channel": Handling.KEEP,
        "source": Handling.KEEP,
    },
    "TpsRegister": {
        "listing": Handling.CODE,
        "register_date": Handling.CODE,
        "file_sha256": Handling.CODE,
    },
    "ImportRun": {
        "file_sha256": Handling.CODE,
        "file_name": Handling.CODE,
        "state": Handling.CODE,
        "mapping": Handling.CODE,
        "fixes": Handling.BRIEF,
        "forecast": Handling.CODE,
        "error_code": Handling.CODE,
        "undone": Handling.CODE,
    },
    "ImportFile": {"content": Handling.BRIEF},
    "ImportReject": {"cells": Handling.BRIEF, "reasons": Handling.BRIEF},
    "ImportChunk": {"created": Handling.CODE},
    "ImportChange": {"before": Handling.ERASE, "after": Handling.ERASE},
    "ImportMapping": {"header_sha256": Handling.CODE, "mapping": Handling.CODE},
    "SyncRun": {
        "scope": Handling.CODE,
        "night": Handling.CODE,
        "state": Handling.CODE,
        "step": Handling.CODE,
        "cursor": Handling.CODE,
        "reasons": Handling.CODE,
        "error_code": Handling.CODE,
    },
    "SyncSeen": {"step": Handling.CODE, "ids": Handling.CODE},
    "PmsRecord": {
        # Kept, so that the next reading does not bring an erased person back.
        "external_id": Handling.KEEP,
        "digest": Handling.CODE,
        "marks": Handling.ERASE,
        "code": Handling.CODE,
    },
}
"""By model and field. ``tests/patients/test_personal_data.py`` fails for a field that is
missing.
"""
