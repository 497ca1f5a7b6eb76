"""What a request asks of the database, from MariaDB's own log of statements."""

import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from autoful.testing.servers import sql

TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+`?([a-z_]+)`?", re.IGNORECASE)


SILENCE, SILENT_WITHIN = 0.2, 60.0  # seconds


class Log:
    """The server's statements while it is told to write them down; nobody else may be about."""

    def __init__(self, url: str) -> None:
        self.url = url

    def wait_for_silence(self) -> None:
        """Until what a load has left under way is done. Raises TimeoutError."""
        deadline, before = time.monotonic() + SILENT_WITHIN, -1
        while (now := self._done()) != before:
            if time.monotonic() > deadline:
                raise TimeoutError("The database is never silent: somebody else is using it.")
            before = now
            time.sleep(SILENCE)

    def _done(self) -> int:
        counters = "'Com_select', 'Com_insert', 'Com_update', 'Com_commit'"
        found = sql(self.url, f"SHOW GLOBAL STATUS WHERE Variable_name IN ({counters})")
        return sum(int(number) for _, number in found)

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
            found.append(text)


def of_tables(statements: list[str]) -> Counter[str]:
    """`UPDATE tickets_serviceticket`, how often; without what touches no table, such as COMMIT."""
    counted: Counter[str] = Counter()
    for statement in statements:
        verb = statement.split(None, 1)[0].upper()
        if verb in ("SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE") and (
            table := TABLE.search(statement)
        ):
            if table[1].lower() == "information_schema":
                continue  # asked once, of a new connection
            counted[f"{verb} {table[1].lower()}"] += 1
    return counted
