"""When what a load has left under way is done: requests go on when who asked is gone."""

import time

from autoful.testing.processes import Server
from autoful.testing.servers import sql
from bench.shop import processor_time, workers

SILENCE, SILENT_WITHIN = 0.2, 90.0  # seconds
IDLE = 0.1  # of that time, for what a server does to stay alive


def wait_for_silence(database_url: str, servers: tuple[Server, ...]) -> None:
    """Until no statement runs and the servers' workers rest. Raises TimeoutError."""
    deadline = time.monotonic() + SILENT_WITHIN
    processes = [worker for server in servers for worker in workers(server)]
    before, began = sum(map(processor_time, processes)), time.monotonic()
    while True:
        time.sleep(SILENCE)
        used, now = sum(map(processor_time, processes)), time.monotonic()
        at_rest = used - before <= IDLE * (now - began)
        if at_rest and _running_statements(database_url) == 0:
            return
        if now > deadline:
            raise TimeoutError("The servers never rest: somebody else is using them.")
        before, began = used, now


def _running_statements(database_url: str) -> int:
    found = sql(database_url, "SHOW GLOBAL STATUS LIKE 'Threads_running'")
    return int(found[0][1]) - 1  # that is this one
