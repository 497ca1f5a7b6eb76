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


class BrowsableAPIRenderer(renderers.BrowsableAPIRenderer):
    def get_default_renderer(self, view: Any) -> JSONRenderer:
        return JSONRenderer()
