"""The jobs about patients: load by id, call a change. A job run twice does nothing twice."""

from uuid import UUID

from patients.csv_import import work
from patients.sync import notices


def import_file(key: str) -> None:
    """Write the rows of one import, as far as the time of a job allows."""
    work.import_file(UUID(key))


def tell_of_failed_sync(key: str) -> None:
    """Write to the owners that their system could not be read."""
    notices.tell(UUID(key))
