"""Threads that start together, each with a database connection of its own."""

import threading
from collections.abc import Callable

from django.db import close_old_connections, connection


def at_once(works: list[Callable[[], object]]) -> list[object]:
    """Run each in a thread of its own, all let go together; what each returned or raised."""
    gate = threading.Barrier(len(works))
    results: list[object] = [None] * len(works)

    def run(place: int) -> None:
        try:
            gate.wait(60)
            results[place] = works[place]()
        except Exception as error:
            results[place] = error
        finally:
            close_old_connections()
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return results
