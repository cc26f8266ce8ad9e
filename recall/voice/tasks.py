"""The jobs that a call leaves behind."""

from recall.voice import recordings
from sightsync.lib import ids


def stop_recording(attempt_id: str) -> None:
    """The person on the line refused the recording."""
    recordings.stop(attempt_id=ids.decode("c", attempt_id))
