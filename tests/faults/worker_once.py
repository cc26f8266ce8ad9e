"""Runs one job in a process of its own, as a worker would, so that a test can kill it.

`python -m tests.faults.worker_once JOB KEY`, with FAILPOINT in the environment. The clock and the
addresses come from the environment too, because the test's fixtures end at its process.
"""

import os
import sys
from datetime import datetime


def main() -> None:
    import django

    django.setup()
    from django.utils.module_loading import import_string

    from sightsync.lib import clock

    moment = datetime.fromisoformat(os.environ["TEST_NOW"])
    clock.use(lambda: moment)
    import_string(sys.argv[1])(sys.argv[2])


if __name__ == "__main__":
    main()
