"""What a request asks of the database, from MariaDB's own log of statements."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from autoful.mysql import SEPARATOR
from autoful.testing.servers import sql

VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE")
TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+`?([a-z_]+)`?", re.IGNORECASE)


class Log:
    """The server's statements while it is told to write them down; nobody else may be about."""

    def __init__(self, url: str) -> None:
        self.url = url

    @contextmanager
    def written(self) -> Iterator[list[str]]:
        """The statements of the block, in their order, once it is left."""
        found: list[str] = []
        sql(self.url, "SET GLOBAL log_output = 'TABLE'")
        sql(self.url, "TRUNCATE TABLE mysql.general_log")
        sql(self.url, "SET GLOBAL general_log = 1")
        try:
            yield found
        finally:
            sql(self.url, "SET GLOBAL general_log = 0")
        ours = "SELECT thread_id FROM mysql.general_log WHERE argument LIKE '%GLOBAL general_log%'"
        for (statement,) in sql(
            self.url,
            "SELECT argument FROM mysql.general_log WHERE command_type IN ('Query', 'Execute')"
            f" AND thread_id NOT IN ({ours}) ORDER BY event_time",
        ):
            text = statement.decode(errors="replace") if isinstance(statement, bytes) else statement
            found += text.split(SEPARATOR)  # what goes together is one line of the log


def of_tables(statements: list[str]) -> Counter[str]:
    """`UPDATE tickets_serviceticket`, how often.

    Without what touches no table of the shop: COMMIT, and what a new connection asks first.
    """
    counted: Counter[str] = Counter()
    for statement in statements:
        verb = statement.split(None, 1)[0].upper()
        table = TABLE.search(statement)
        if verb in VERBS and table and table[1].lower() != "information_schema":
            counted[f"{verb} {table[1].lower()}"] += 1
    return counted
