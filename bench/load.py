"""Loading a server with wrk, and what wrk says of it."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from autoful.testing.servers import program

SCRIPT = Path(__file__).with_name("replay.lua")


class LoadFailed(Exception):
    """Not every request was answered well, so that the times mean nothing."""


@dataclass(frozen=True)
class Load:
    """`rate` in requests a second, `p50` and `p99` in milliseconds."""

    requests: int
    sent: int
    rate: float
    p50: float
    p99: float


def load(url: str, replay: Path, connections: int, *, seconds: int, begin: int = 0) -> Load:
    """Send the requests of `replay` in turn from number `begin`.

    Raises LoadFailed for an answer of 400 or more, and for a connection that broke.
    """
    command = [program("wrk"), "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s"]
    command += ["--latency", "-s", str(SCRIPT), url, "--", str(replay), str(begin)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    last = done.stdout.strip().rpartition("\n")[2]
    if done.returncode or not last.startswith("{"):
        raise LoadFailed(f"wrk said: {done.stdout[-500:]}{done.stderr[-500:]}")
    said = json.loads(last)
    if said["refused"] or said["broken"]:
        raise LoadFailed(
            f"of {said['requests']} requests {said['refused']} were answered with 400 or more, "
            f"and {said['broken']} broke off."
        )
    rate = said["requests"] / said["seconds"]
    return Load(said["requests"], said["sent"], rate, said["p50"], said["p99"])
