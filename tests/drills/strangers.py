"""Somebody with SQL at the shop's database, who takes its locks in the wrong order or for too long.

All of it is undone: a stranger leaves nothing behind but those who lost a race against them.
"""

import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from autoful.testing.shops import Shop

WEIGHT = 200  # rows changed beside: the database ends a deadlock by undoing whoever changed less
DEADLOCK = 1213
PART, TICKET = "inventory_part", "tickets_serviceticket"


@contextmanager
def connected(ours: Shop) -> Iterator[Any]:
    """A connection of the database's own driver, in no transaction."""
    if not ours.in_production:
        file = Path(ours.environment["AUTOFUL_DATA"], "autoful.sqlite3")
        with closing(sqlite3.connect(file, timeout=60, isolation_level=None)) as connection:
            yield connection.cursor()
        return
    import MySQLdb

    where = urlsplit(ours.environment["DATABASE_URL"])
    with closing(
        MySQLdb.connect(
            host=where.hostname,
            port=where.port or 3306,
            user=unquote(where.username or ""),
            password=unquote(where.password or ""),
            database=where.path.strip("/"),
        )
    ) as connection:
        yield connection.cursor()


@contextmanager
def holding(ours: Shop, table: str, row: int) -> Iterator[None]:
    """The row is locked as long as the block; on SQLite everything is."""
    with connected(ours) as cursor:
        cursor.execute("BEGIN" if ours.in_production else "BEGIN IMMEDIATE")
        cursor.execute(f"UPDATE {table} SET version = version WHERE id = {row}")
        yield
        cursor.execute("ROLLBACK")


@contextmanager
def meddling(ours: Shop, parts: list[int], tickets: list[int]) -> Iterator[None]:
    """While the block runs, somebody locks a part and then tickets, against the shop's order."""
    over = threading.Event()
    strangers = [
        threading.Thread(target=_meddle, args=(ours, parts, tickets, over, seed))
        for seed in range(3 if ours.in_production else 1)
    ]
    with connected(ours) as cursor:
        cursor.execute("CREATE TABLE stranger (id INTEGER PRIMARY KEY, n INTEGER)")
        rows = ", ".join(f"({n}, 0)" for n in range(3 * WEIGHT))
        cursor.execute(f"INSERT INTO stranger VALUES {rows}")
        cursor.execute("COMMIT" if ours.in_production else "SELECT 1")
    for stranger in strangers:
        stranger.start()
    try:
        yield
    finally:
        over.set()
        for stranger in strangers:
            stranger.join()
        with connected(ours) as cursor:
            cursor.execute("DROP TABLE stranger")


def _meddle(
    ours: Shop, parts: list[int], tickets: list[int], over: threading.Event, seed: int
) -> None:
    dice = random.Random(seed)
    mine = f"id >= {seed * WEIGHT} AND id < {(seed + 1) * WEIGHT}"
    with connected(ours) as cursor:
        while not over.wait(dice.uniform(0.05, 0.2)):
            cursor.execute("BEGIN" if ours.in_production else "BEGIN IMMEDIATE")
            try:
                cursor.execute(f"UPDATE stranger SET n = n + 1 WHERE {mine}")
                _lock(cursor, PART, dice.choice(parts))
                time.sleep(0.05)
                for ticket in dice.sample(tickets, 3):
                    _lock(cursor, TICKET, ticket)
            except Exception as error:
                # Two strangers meet too.
                if error.args[0] != DEADLOCK:
                    raise
            cursor.execute("ROLLBACK")


def _lock(cursor: Any, table: str, row: int) -> None:
    cursor.execute(f"UPDATE {table} SET version = version WHERE id = {row}")
