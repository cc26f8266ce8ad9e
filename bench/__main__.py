"""`make bench`: runs every `bench/bench_*.py` in a process of its own, so that none sees another's
memory, and exits 1 when one is over its limit. Names on the command line choose some of them.
"""

import subprocess
import sys
from pathlib import Path


def main() -> int:
    here = Path(__file__).parent
    wanted = set(sys.argv[1:])
    over = []
    for path in sorted(here.glob("bench_*.py")):
        name = path.stem.removeprefix("bench_")
        if wanted and name not in wanted:
            continue
        print(f"\n{name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"bench.{path.stem}"], check=False).returncode:
            over.append(name)
    if over:
        print(f"\nOver the limit: {', '.join(over)}")
    return 1 if over else 0


sys.exit(main())
