"""Lines of the log: joined by the request id, and never with what a client sent.

No body, path, query string or header is logged by us. Others would: Django's lines name the path
and the Host, and an exception's text may hold the row it failed on ("Duplicate entry 'sarah@…'").
So of a line about a request the reason is kept, and of an exception its kind, number and place.
"""

import json
import logging
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import responses
from typing import Any

import orjson

from autoful.actor import request_id

# What logging itself puts on a record; everything else came in by `extra`.
STANDARD = set(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "taskName",
    "request",
}
# Mistakes of ours, whose text is made of names in the code.
ABOUT_CODE = (AttributeError, NameError, ImportError, RecursionError)


def kind_of(error: BaseException) -> str:
    """What sort of error it is, in words that no client chose."""
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    if isinstance(error, ABOUT_CODE):
        return f"{name}: {error}"
    # The drivers' numbers: 1062 of MySQL, SQLITE_CONSTRAINT_UNIQUE, errno 111.
    first = error.args[0] if error.args else None
    number = getattr(error, "sqlite_errorname", first if isinstance(first, int) else None)
    return f"{name} {number}" if number is not None else name


def words_of(record: logging.LogRecord) -> str:
    """The message of a line."""
    if hasattr(record, "request"):  # one of Django's, about a path or a Host
        return responses.get(getattr(record, "status_code", 0), "refused")
    words = record.getMessage()
    error = record.exc_info[1] if record.exc_info else None
    return words.replace(str(error), kind_of(error)) if error and str(error) else words


def _and_what_caused_it(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


_slowly_in_json = json.JSONEncoder(default=str, separators=(",", ":")).encode
AS_TEXT = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def _in_json(line: dict[str, Any]) -> str:
    """In ASCII, whatever the stream takes, and in one line, whatever ends one for its reader."""
    try:
        # What is not JSON's own is told in the words of its `str`.
        written = orjson.dumps(line, default=str, option=AS_TEXT).decode()
    except TypeError:  # half a character, a number that is too long: a line is never lost
        return _slowly_in_json(line)
    return written if written.isascii() else _slowly_in_json(line)


class PlainFormatter(logging.Formatter):
    """For a person at the machine."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = words_of(record)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:
        """Where it happened and what kind of error it was, the last one first."""
        return "\nwhich came of\n".join(
            "".join(traceback.format_tb(error.__traceback__)) + kind_of(error)
            for error in _and_what_caused_it(ei[1])
        )


class JSONFormatter(PlainFormatter):
    """One JSON object a line, for programs."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": words_of(record),
            "request_id": request_id(),
        }
        line |= {k: v for k, v in vars(record).items() if k not in STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _in_json(line)


class SaidElsewhere(logging.Filter):
    """Without Django's line, and traceback, for every 503: autoful.access has the request, and
    autoful.unavailable said once what ails the database.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(record, "status_code", None) != 503
