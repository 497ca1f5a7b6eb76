"""JSON in, within reason."""

import json
import re
from typing import IO, Any, NoReturn

from rest_framework import parsers
from rest_framework.exceptions import APIException, ParseError

# Escaped, because UTF-8 itself has none; whether its other half stands beside it, encoding tells.
HALF_A_PAIR = re.compile(r"\\u[dD][89a-fA-F]")


class BodyTooLarge(APIException):
    status_code = 413
    default_code = "too_large"
    default_detail = "The body is too large."


class LengthRequired(APIException):
    status_code = 411
    default_code = "length_required"
    default_detail = "Send the body with a Content-Length."


class _SaidTwice(ValueError):
    """One object has a key twice."""


class JSONParser(parsers.JSONParser):
    """UTF-8, no NaN or Infinity, no half of a surrogate pair, each key once.

    Of a key that stands there twice one reader takes the first and another the last: what a proxy
    checked would not be what we do.
    """

    def parse(self, stream: IO[Any], media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            text = stream.read().decode("utf-8")
            found = json.loads(text, object_pairs_hook=_each_once, parse_constant=_no_number)
            if HALF_A_PAIR.search(text):
                json.dumps(found, ensure_ascii=False).encode("utf-8")
            return found
        except _SaidTwice as twice:
            raise ParseError("The body says one key twice.") from twice
        except ValueError as wrong:
            # The decoder's own words quote the body, which may hold a password.
            raise ParseError("The body is not valid JSON.") from wrong
        except RecursionError as deep:
            raise ParseError("The body is nested too deeply.") from deep


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _SaidTwice
    return found


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)
