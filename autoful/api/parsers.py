"""JSON in, within reason."""

from typing import IO, Any

from rest_framework import parsers
from rest_framework.exceptions import APIException, ParseError


class BodyTooLarge(APIException):
    status_code = 413
    default_code = "too_large"
    default_detail = "The body is too large."


class LengthRequired(APIException):
    status_code = 411
    default_code = "length_required"
    default_detail = "Send the body with a Content-Length."


class JSONParser(parsers.JSONParser):
    def parse(self, stream: IO[Any], media_type: Any = None, parser_context: Any = None) -> Any:
        try:
            return super().parse(stream, media_type, parser_context)
        except ParseError as wrong:
            # The decoder's own words quote the body, which may hold a password.
            raise ParseError("The body is not valid JSON.") from wrong
        except RecursionError as deep:
            raise ParseError("The body is nested too deeply.") from deep
