"""A file in, on the running server: looked at and imported beside its requests, told of in the pages."""

import re
from pathlib import Path

from autoful.testing.http import Caller
from autoful.testing.processes import seconds_until
from autoful.testing.shops import Shop, shop
from tests.sheets import PARTS

BOSS = ("boss@shop.example", "correct horse battery")
ROWS = 250


def parts(rows: int) -> bytes:
    lines = [f"P-{n},Part {n},{n}.50,{n % 7}" for n in range(1, rows + 1)]
    return "\n".join(["Part number,Name,Price,In stock", *lines]).encode()


def at_the_desk(ours: Shop, url: str) -> Caller:
    ours.ask(
        "from autoful.accounts.models import User;"
        f"User.objects.create_superuser({BOSS[0]!r}, {BOSS[1]!r}); answer = None"
    )
    boss = Caller(url)
    boss.sign_in_to_admin(*BOSS)
    return boss


def uploaded(boss: Caller, content: bytes) -> str:
    """The path of the file's page."""
    answer = boss.post(f"{PARTS}import/", files={"file": ("parts.csv", content)})
    assert answer.status == 302, answer.text
    return str(answer.headers["Location"])


def becomes(boss: Caller, page: str, word: str) -> None:
    seconds_until(lambda: word in boss.get(page).text, 60, f"The page never said {word!r}.")


def test_a_file_is_looked_at_and_imported_beside_the_requests(tmp_path: Path) -> None:
    with shop(tmp_path) as ours, ours.serve(AUTOFUL_RATE_LIMITS="off") as url:
        boss = at_the_desk(ours, url)
        page = uploaded(boss, parts(ROWS))
        becomes(boss, page, f"Import {ROWS} rows")
        assert ours.ask("from inventory.models import Part; answer = Part.objects.count()") == 0
        done = boss.post(page, data={"import": "1"})
        assert done.status == 302
        becomes(boss, page, "It is in.")
        assert ours.ask("from inventory.models import Part; answer = Part.objects.count()") == ROWS
        ours.manage("check_stock")
        # Each entry says who it was and by which request, though it was written beside it.
        entries = ours.ask(
            "from auditlog.models import LogEntry as L;"
            "answer = list(L.objects.filter(content_type__model='part')"
            ".order_by().values_list('actor__email', 'cid', 'remote_addr').distinct())"
        )
        assert [(email, address) for email, _, address in entries] == [(BOSS[0], "127.0.0.1")]
        assert re.fullmatch(r"[0-9a-f]{32}", entries[0][1])
