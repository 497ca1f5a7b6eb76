"""What is asked of the database, statement by statement."""

from typing import Any

from django.test.utils import CaptureQueriesContext

from autoful.mysql import SEPARATOR


class Statements(CaptureQueriesContext):
    """Each for itself, also where several went together; `trips` counts the ways there and back."""

    @property
    def captured_queries(self) -> list[dict[str, Any]]:
        return [
            {**query, "sql": sql}
            for query in super().captured_queries
            for sql in query["sql"].split(SEPARATOR)
        ]

    @property
    def trips(self) -> int:
        return len(super().captured_queries)
