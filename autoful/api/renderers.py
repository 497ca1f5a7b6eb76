"""JSON out, with numbers as numbers, and the browsable API."""

from decimal import Decimal
from typing import Any

from rest_framework import renderers
from rest_framework.utils.encoders import JSONEncoder


class NumberEncoder(JSONEncoder):
    def default(self, obj: Any) -> Any:
        # Ten digits at most: a double holds them exactly, and prints them as they were.
        return float(obj) if isinstance(obj, Decimal) else super().default(obj)


class JSONRenderer(renderers.JSONRenderer):
    encoder_class = NumberEncoder

    def render(self, *args: Any, **kwargs: Any) -> bytes:
        try:
            return super().render(*args, **kwargs)
        except UnicodeEncodeError:
            # A message quotes half a surrogate pair of the client's: it goes back escaped.
            return EscapingRenderer().render(*args, **kwargs)


class EscapingRenderer(renderers.JSONRenderer):
    encoder_class = NumberEncoder
    ensure_ascii = True


class BrowsableAPIRenderer(renderers.BrowsableAPIRenderer):
    def get_default_renderer(self, view: Any) -> JSONRenderer:
        return JSONRenderer()
