"""How long the back office's pages take in long lists: `python -m bench.desk`.

    BENCH_SIZES=100000 python -m bench.desk     with a shop of so many tickets only

Each page is asked for by a superuser through Django's test client, once to warm up and then a few
times, and the median counts: what the server and the network add is not in it. Written to
docs/back-office.md, unless BENCH_REPORT names another file.
"""

import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench import apart
from bench.rows import HOT

SIZES = (100_000, 1_000_000)
TARGETS = {100_000: 300, 1_000_000: 500}  # milliseconds a page
TIMES = 5
REPORT = Path("docs/back-office.md")

# Of rows from the middle: what is asked for is neither the first nor the last there is.
PAGES = [
    "",
    "tickets/serviceticket/",
    "tickets/serviceticket/?p=150",
    "tickets/serviceticket/?status__exact=completed",
    "tickets/serviceticket/?due=late",
    "tickets/serviceticket/?due=today",
    "tickets/serviceticket/?o=-6",
    "tickets/serviceticket/?q={ticket}",
    "tickets/serviceticket/?q={vin}",
    "tickets/serviceticket/?q=brake",
    "tickets/serviceticket/{ticket}/change/",
    "tickets/serviceticket/{ticket}/history/",
    "customers/customer/",
    "customers/customer/?q={name}",
    "customers/customer/?q=nobody",
    "customers/customer/{customer}/change/",
    "customers/customer/{customer}/history/",
    "customers/vehicle/",
    "customers/vehicle/?q={six}",
    "inventory/part/",
    "inventory/part/?q=brake",
    "inventory/part/?stock=low",
    "inventory/part/?unmoved=365",
    "inventory/part/{part}/change/",
    "inventory/part/{part}/history/",
    "inventory/part/order-sheet/",
    "inventory/stockmovement/",
    "inventory/stockmovement/?q=ticket-{ticket}",
    "tickets/partline/",
    "tickets/assignment/?q=nobody",
    "tickets/statuschange/",
    "accounts/user/",
    "auditlog/logentry/",
    "auditlog/logentry/?p=150",
    "auditlog/logentry/?q={ticket}",
    "auditlog/logentry/?q=mechanic1@",
    "auditlog/logentry/?person=1&action=1",
    "auditlog/logentry/?object={kind}&action=1",
    "auditlog/logentry/?timestamp_from=2020-01-01&timestamp_to=2020-02-01",
    "auditlog/logentry/export/",
    "tickets/serviceticket/export/csv/",
    "customers/customer/export/csv/",
    "customers/vehicle/export/csv/",
    "inventory/part/export/csv/",
    "inventory/part/import/",
    "search/?extended=1&s={name}",
    "search/?extended=1&s={six}",
    "search/?extended=1&s={ticket}",
    # What nothing has: a plate, a make and model of a year, and words, looked for to the end.
    "search/?extended=1&s=QXZ-9999",
    "search/?extended=1&s=2019+nobody+atall",
    "search/?extended=1&s=nobody+atall",
    "customers/vehicle/?q=2019+nobody+atall",
    # Models and parts as they are said; a year alone; an owner and the car; what few letters have.
    "search/?extended=1&s={model}",
    "search/?extended=1&s=2019",
    "search/?extended=1&s={name}+{model}",
    "search/?extended=1&s=zq9",
    "tickets/serviceticket/?q={model}",
    "customers/vehicle/?q={name}+{model}",
    "customers/vehicle/{vehicle}/change/",
    "inventory/part/delivery/",
    "tickets/serviceticket/add/",
    "autocomplete/?app_label=tickets&model_name=serviceticket&field_name=vehicle&term={name}",
    "autocomplete/?app_label=tickets&model_name=serviceticket&field_name=customer&term={name}",
    "autocomplete/?app_label=tickets&model_name=partline&field_name=part&term=brake",
]
# The same as somebody who sees the trail, and of what it is about the parts alone: older entries than
# all about tickets.
AS_CLERK = [
    "auditlog/logentry/",
    "auditlog/logentry/?p=150",
    "auditlog/logentry/?q=mechanic1@",
    "auditlog/logentry/?q={part}",
    "inventory/part/{part}/history/",
]


INTRODUCTION = f"""# The back office in long lists

Written by `python -m bench.desk`: pages of the back office as a superuser asks for them, some also as a clerk who
sees the trail and parts alone, in process and without a browser, on a filled shop (a tenth as many customers and vehicles as tickets, 5,000 parts, two
entries of the audit trail a ticket, {HOT:,} about the part whose page is asked for). Medians of {TIMES} after one to warm up. "Queries" are those of the
database. A CSV is sent while it is read: its time is that until its first rows; how long whole files
take stands in docs/spreadsheets.md."""


def measure() -> None:
    """Fill the shop that the environment names, and print a table of its pages."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.db import connection

    from autoful.accounts.models import User
    from bench.filling import fill

    settings.RATE_LIMITS, settings.ALLOWED_HOSTS = None, ["testserver"]  # as the client is called
    settings.STORAGES["staticfiles"] = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
    }
    tickets = apart.size()
    print(f"{tickets:,} tickets: filling …", file=sys.stderr, flush=True)
    call_command("migrate", verbosity=0, stdout=sys.stderr)
    fill(connection, tickets=tickets)
    boss = User.objects.create_superuser("boss@example.com", "a-password-of-the-bench")
    target = TARGETS.get(tickets)
    head = "| page | median, ms | slowest, ms | queries |" + (" under |" if target else "")
    print(f"## {tickets:,} tickets\n\n{head}")
    print("| --- " * (head.count("|") - 1) + "|")
    for path, times, queries in _timed(boss):
        median = statistics.median(times)
        row = f"| `{path}` | {median:.0f} | {max(times):.0f} | {queries} |"
        print(row + (f" {target}: {'yes' if median < target else '**no**'} |" if target else ""))


def _timed(boss: Any) -> Iterator[tuple[str, list[float], int]]:
    from django.contrib.auth.models import Permission
    from django.contrib.contenttypes.models import ContentType
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from autoful.accounts.models import User
    from autoful.testing.pages import Desk
    from customers.models import Customer, Vehicle
    from inventory.models import Part
    from tickets.models import ServiceTicket

    clerk = User.objects.create_user("clerk@example.com", None, is_staff=True)
    seen = ("view_logentry", "view_part")
    clerk.user_permissions.set(Permission.objects.filter(codename__in=seen))
    asked = [("", Desk(boss), pattern) for pattern in PAGES]
    asked += [(" as a clerk", Desk(clerk), pattern) for pattern in AS_CLERK]
    middle: dict[Any, Any] = {
        model: model.objects.order_by("pk")[model.objects.count() // 2]
        for model in (Customer, Vehicle, Part, ServiceTicket)
    }
    vin = middle[Vehicle].vin
    words = {
        "kind": ContentType.objects.get_for_model(ServiceTicket).pk,
        "ticket": middle[ServiceTicket].pk,
        "customer": middle[Customer].pk,
        "vehicle": middle[Vehicle].pk,
        "part": middle[Part].pk,
        "name": middle[Customer].name.split()[0],
        "model": middle[Vehicle].model,
        "vin": vin,
        "six": vin[-6:],
    }
    for who, desk, pattern in asked:
        path = pattern.format(**words)
        times = []
        for _ in range(TIMES + 1):
            with CaptureQueriesContext(connection) as queries:
                began = time.perf_counter()
                answer: Any = desk.get(f"/admin/{path}")
                if answer.streaming:
                    rows = iter(answer)
                    next(rows), next(rows)
                times.append(1000 * (time.perf_counter() - began))
            if answer.status_code != 200:
                raise SystemExit(f"/admin/{path} answered {answer.status_code}.")
        yield (pattern or "the first page") + who, times[1:], len(queries)


if __name__ == "__main__":
    sys.exit(apart.written("bench.desk", INTRODUCTION, SIZES, REPORT))
