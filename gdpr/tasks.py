"""The jobs that django-q2 runs for data protection. A job run twice does nothing twice."""

from uuid import UUID

from gdpr import carrier, data_requests, erasure
from practices import job_tries


def answer_request(key: str) -> None:
    """Carry out one data request; after five crashes it fails and waits for a person."""
    name = f"{data_requests.JOB}:{key}"
    verdict = job_tries.begin(name)
    if verdict is job_tries.Verdict.RUN:
        data_requests.answer(UUID(key))
        job_tries.finish(name)
    elif verdict is job_tries.Verdict.GIVE_UP:
        data_requests.give_up(UUID(key), code="job_failed")


def keep_house() -> None:
    """What the queue lost, what came in late, what is kept no longer, what the carrier has."""
    data_requests.wake_stuck()
    data_requests.forget_exports()
    erasure.erase_late_arrivals()
    carrier.give_up_refused_and_old()
    carrier.delete_recordings()
