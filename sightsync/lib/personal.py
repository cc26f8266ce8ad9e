"""The words in which every app's `personal_data.py` says what happens to each of its fields.

A list only: exporting and erasing are gdpr's.
"""

from enum import StrEnum


class Handling(StrEnum):
    """What happens to a field."""

    ERASE = "erase"
    """Personal: exported on request, blanked by an erasure."""
    KEEP = "keep"
    """Personal, and kept by law after an erasure: the patient's word, and its keyed hashes."""
    BRIEF = "brief"
    """Personal, but of no record that could be told: an uploaded list. Deleted within 30 days."""
    CODE = "code"
    """Not about a patient: a code, a state, a date or a word of the practice's own."""
