"""One JSON object a line, joined by the request id. Never a body, a query string or a header."""

import json
import logging
from datetime import UTC, datetime

from autoful.actor import request_id

# What logging itself puts on a record; everything else came in by `extra`.
STANDARD = set(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "request",
}


class JSONFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": request_id(),
        }
        line |= {k: v for k, v in vars(record).items() if k not in STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class SaidElsewhere(logging.Filter):
    """Without Django's line, and traceback, for every 503: autoful.access has the request, and
    autoful.unavailable said once what ails the database.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(record, "status_code", None) != 503
