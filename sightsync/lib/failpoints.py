"""Named places at which a fault test kills the process, as a power cut would.

Does nothing unless the environment names the place: FAILPOINT=claim.before_commit
"""

import os
import signal


def hit(name: str) -> None:
    if os.environ.get("FAILPOINT") == name:
        os.kill(os.getpid(), signal.SIGKILL)
