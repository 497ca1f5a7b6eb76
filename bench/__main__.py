"""Measure the shop beside its limit, and write what came of it.

    BENCH_SIZES=10000 BENCH_ENDPOINTS=tickets,ticket make bench

BENCH_SIZES      tickets in the database, one size or several; default 10000,100000,1000000
BENCH_ENDPOINTS  names of endpoints; default all
BENCH_SECONDS    of each run; default 5. Of BENCH_RUNS, default 3, the medians count
"""

import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from autoful.testing import servers
from autoful.unwinding import unwinding_on_signals
from bench.shop import Place

INTERRUPTED = 130


def main() -> int:
    with ExitStack() as stack:
        stack.enter_context(unwinding_on_signals())
        temporary = tempfile.TemporaryDirectory(prefix="autoful-bench-", ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(temporary))
        print("MariaDB and Redis start …", flush=True)
        options = ("--innodb-buffer-pool-size=4G", "--innodb-log-file-size=1G")
        database = stack.enter_context(servers.mariadb_server(options=options))
        redis = stack.enter_context(servers.redis())
        place = Place(folder, database.url, redis)
        os.environ.update(place.environment(DJANGO_SETTINGS_MODULE="autoful.settings"))
        import django

        django.setup()
        from bench.measuring import measure_all

        return measure_all(place)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
