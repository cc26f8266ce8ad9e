"""The jobs about patients: load by id, call a change. A job run twice does nothing twice."""

from uuid import UUID

from patients.csv_import import work


def import_file(key: str) -> None:
    """Write the rows of one import, as far as the time of a job allows."""
    work.import_file(UUID(key))
