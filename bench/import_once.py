"""One import in a process of its own, as a worker would do it: `python -m bench.import_once FILE`.
Prints the seconds of the upload, of the import and the peak memory, as JSON.
"""

import json
import sys
import time
from pathlib import Path

from bench import measure, scratch

from patients.csv_import import runs, work  # isort: skip
from patients.models import ImportRun
from practices.journal import Actor
from practices.models import Practice
from sightsync.lib import ids

ACTOR = Actor.system("bench")


def main() -> None:
    scratch.check_scratch()
    practice = Practice.objects.get()
    start = time.perf_counter()
    run = runs.upload(
        practice=practice,
        file_name="list.csv",
        content=Path(sys.argv[1]).read_bytes(),
        user=None,
        actor=ACTOR,
    )
    uploading = time.perf_counter() - start
    checking = 0.0
    if "--check" in sys.argv:
        from patients.csv_import import forecast

        runs.check(run=run, actor=ACTOR)
        checking = measure.seconds(lambda: forecast.work_out(run.pk))
    runs.start(run=run, user=None, actor=ACTOR)
    print(ids.encode("imp", run.pk), flush=True)
    importing = measure.seconds(lambda: _finish(run))
    run.refresh_from_db()
    counts = {name: getattr(run, name) for name in ("created", "updated", "unchanged", "rejected")}
    print(
        json.dumps(
            {
                "upload": uploading,
                "check": checking,
                "import": importing,
                "peak": measure.peak_mb(),
                "state": run.state,
                **counts,
            }
        ),
        flush=True,
    )


def _finish(run: ImportRun) -> None:
    """A job hands over after 40 seconds; the next one goes on."""
    while run.state in ("draft", "queued", "running"):
        work.import_file(run.pk)
        run.refresh_from_db()


if __name__ == "__main__":
    main()
