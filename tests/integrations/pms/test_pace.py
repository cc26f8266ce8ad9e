"""How fast a system is asked."""

import pytest

from integrations.pms import pace
from integrations.pms.acuitas import client as acuitas
from integrations.pms.optisoft import client as optisoft
from integrations.pms.optix import client as optix
from integrations.pms.pace import Bucket, Rate


class Watch:
    """A clock that moves only when somebody waits."""

    def __init__(self) -> None:
        self.at, self.waited = 100.0, list[float]()

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.at += seconds


@pytest.mark.parametrize("rate", [optix.RATE, acuitas.RATE, optisoft.RATE])
def test_a_long_reading_keeps_to_the_rate_after_the_burst(rate: Rate) -> None:
    watch = Watch()
    bucket = Bucket(rate, now=watch.now, sleep=watch.sleep)
    for _ in range(rate.burst):
        bucket.wait()
    assert watch.waited == []
    for _ in range(100):
        bucket.wait()
    assert watch.at - 100.0 == pytest.approx(100 / rate.per_second)


def test_a_rest_fills_the_bucket_and_no_further() -> None:
    watch = Watch()
    bucket = Bucket(Rate(per_second=2, burst=3), now=watch.now, sleep=watch.sleep)
    for _ in range(3):
        bucket.wait()
    watch.at += 1.0
    bucket.wait()
    bucket.wait()
    assert watch.waited == []
    watch.at += 1000
    for _ in range(3):
        bucket.wait()
    assert watch.waited == []
    bucket.wait()
    assert watch.waited == [0.5]


def test_each_connection_has_a_bucket_of_its_own() -> None:
    rate = Rate(per_second=1, burst=1)
    assert pace.bucket("one", rate) is pace.bucket("one", rate)
    assert pace.bucket("one", rate) is not pace.bucket("two", rate)
