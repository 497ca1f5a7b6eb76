"""Measure the shop beside its limit, and write what came of it.

    BENCH_SIZES=10000 BENCH_ENDPOINTS=tickets,ticket make bench

BENCH_SIZES      tickets in the database, several by commas; default 10000,100000,1000000
BENCH_ENDPOINTS  names of endpoints, by commas; default all
BENCH_SECONDS    of each run, default 5
BENCH_RUNS       of each side, default 3; the median counts
BENCH_REQUESTS   after which a worker's memory is looked at again, default 100000
BENCH_REPORT     the file to write; default docs/performance.md if nothing was left out, else none
"""

import os
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from autoful.testing import machine, servers
from autoful.unwinding import unwinding_on_signals
from bench import options
from bench.shop import Place

INTERRUPTED = 130
# The largest shop is in memory, as it is in a shop's own database.
ROOMY = ("--innodb-buffer-pool-size=4G", "--innodb-log-file-size=1G")


def main() -> int:
    if command := machine.provide_production(
        own_database=True, also=lambda: [] if servers.find_program("wrk") else ["wrk"]
    ):
        print(f"make bench lacks something. Install it with: {command}")
        return 1
    with ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix="autoful-bench-", ignore_cleanup_errors=True)
        folder = Path(stack.enter_context(temporary))
        print("MariaDB and Redis start …", flush=True)
        database = stack.enter_context(servers.mariadb_server(options=ROOMY))
        redis = stack.enter_context(servers.redis())
        place = Place(folder, database.url, redis)
        os.environ.update(place.environment(DJANGO_SETTINGS_MODULE="autoful.settings"))
        import django

        django.setup()
        from bench import report
        from bench.comparing import BooksDiffer
        from bench.endpoints import ENDPOINTS
        from bench.equality import Unequal
        from bench.load import LoadFailed
        from bench.measuring import measure

        try:
            chosen = options.read([endpoint.name for endpoint in ENDPOINTS])
            results = measure(place, chosen)
        except (options.WrongOption, Unequal, LoadFailed, BooksDiffer) as failure:
            print(f"\nmake bench FAILED: {failure}", flush=True)
            return 1
        versions = [servers.database_version(database.url), servers.redis_version(redis)]
        text = report.text(results, chosen, versions)
        if results.failures and chosen.report == options.REPORT:
            # The one that is there is of a run that went well.
            chosen = replace(chosen, report=None)
        if chosen.report:
            chosen.report.write_text(text, encoding="utf-8")
        print(
            f"\n{text}\n{'Written to ' + str(chosen.report) if chosen.report else ''}", flush=True
        )
        return 1 if results.failures else 0


if __name__ == "__main__":
    try:
        with unwinding_on_signals():
            sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
