"""Values that nobody should send, and what must come of each: the same on every database.

`VALUES` are JSON as it goes over the line, because some of it no Python value would become.
`ACCEPTED` is the table: for each kind of field, the values it takes and what is kept of them.
Whatever is not in the table is refused.
"""

import json
from decimal import Decimal
from typing import Any

from rest_framework import serializers

from autoful.api import fields

# Of so many combinations of a place and a value `make test` tries one, so that each place has some
# of the values and each value some of the places; the drill tries all.
EVERY = 5


def chosen(place: int, value: int) -> bool:
    """Whether this combination is tried."""
    return (place + value) % EVERY == 0


TEXTS = {
    "emoji": "Käfer 🔧🚗 👩‍🔧",
    "right to left": "\u202eevil\u202c שלום",
    "zero width": "ze\u200bro wid\ufeffth",
    "combining": "Z\u0351\u0343a\u0321lgo",
    "sql": "'; DROP TABLE customers; -- \\",
    "like": "100%_\\ off",
    "template": "{{7*7}}{% debug %}${7*7}<%=7%>",
    "html": "<script>alert(1)</script>",
    "format": "%s%n{0}{self.__class__}",
    "line breaks": "one\r\ntwo\u2028three",
    "address": "MIXED.Case@Example.COM",
    "a number as text": "12345678",
    "control": "bell\u0007 and \u001b[31m",
    "high": "the last \U0010ffff\ufffe",
}


VALUES: dict[str, str] = {
    **{name: json.dumps(text) for name, text in TEXTS.items()},
    "padded": json.dumps(" \t padded text \n "),
    "escaped": '"\\u0041\\u00c4 capital"',
    "NUL": json.dumps("a\0b, and some more"),
    "half a surrogate": '"\\ud800 and some more"',
    "surrogates the wrong way": '"\\udc00\\ud800 more"',
    "long": json.dumps("x" * 20_000),
    "nothing": json.dumps(""),
    "spaces": json.dumps("   "),
    "null": "null",
    "true": "true",
    "list": "[]",
    "list of lists": "[[1]]",
    "object": '{"a": {"$ne": 1}}',
    "NaN": "NaN",
    "Infinity": "Infinity",
    "-Infinity": "-Infinity",
    "5,000 digits": "9" * 5_000,
    "5,000 places": "0." + "1" * 5_000,
    "1e400": "1e400",
    "-1e400": "-1e400",
    "1e-400": "1e-400",
    "-1": "-1",
    "zero": "0",
    "minus zero": "-0.0",
    "half a cent": "0.005",
    "one and a half": "1.5",
    "one, as a fraction": "1.0",
    "past 53 bits": "9007199254740993",
    "past 64 bits": "18446744073709551616",
    "key twice": '{"a": 1, "a": 2}',
}
READABLE_NOT = {"NaN", "Infinity", "-Infinity", "5,000 digits", "key twice"}
READABLE_NOT |= {"half a surrogate", "surrogates the wrong way"}

KEPT = TEXTS | {"padded": "padded text", "escaped": "AÄ capital"}
BLANK = {"nothing": "", "spaces": ""}
# 1e-400 is zero to whoever reads numbers as JSON's readers do, in 64 bits.
WHOLE = {"zero": 0, "one, as a fraction": 1, "minus zero": 0, "1e-400": 0}
AMOUNTS = {
    "half a cent": Decimal("0.01"),
    "one and a half": Decimal("1.50"),
    "one, as a fraction": Decimal("1.00"),
    "5,000 places": Decimal("0.11"),
}
FREE = {"zero": Decimal(0), "minus zero": Decimal(0), "1e-400": Decimal(0)}

ACCEPTED: dict[str, dict[str, Any]] = {
    "text": KEPT,
    "text or blank": KEPT | BLANK,
    "text or null": KEPT | {"null": None},
    "VIN": {},
    "e-mail": {"address": "mixed.case@example.com"},
    "phone": {"a number as text": "12345678"},
    # Not trimmed; eight characters at least, and none of the common ones.
    "password": {name: kept for name, kept in KEPT.items() if name != "a number as text"}
    | {"padded": " \t padded text \n "},
    "amount": AMOUNTS | FREE,
    "amount or null": AMOUNTS | FREE | {"null": None},
    "price": {name: kept for name, kept in AMOUNTS.items() if name != "half a cent"},
    "count": WHOLE,
    "count or null": WHOLE | {"null": None},
    "from one": {"one, as a fraction": 1},
    "number of a row": {"one, as a fraction": 1},
    "numbers of rows": {"list": []},
    "date": {},
    "choice": {},
}


def kind_of(field: serializers.Field[Any, Any, Any, Any]) -> str:
    """The column of the table for this field; KeyError for a field that nobody thought of."""
    empty = " or null" if field.allow_null else ""
    if isinstance(field, fields.TextField) and field.field_name == "VIN":
        return "VIN"
    if isinstance(field, fields.TextField) and getattr(field, "allow_blank", False):
        empty = " or blank"
    kinds: list[tuple[type[Any], str]] = [
        (fields.PasswordField, "password"),
        (fields.PhoneField, "phone"),
        (fields.TextField, "text" + empty),
        (fields.EmailField, "e-mail"),
        (fields.PriceField, "price"),
        (fields.MoneyField, "amount" + empty),
        (fields.IdField, "number of a row"),
        (fields.CountField, "count" + empty),
        (fields.WholeNumberField, "from one"),
        (fields.DateField, "date"),
        (serializers.ListField, "numbers of rows"),
        (serializers.ChoiceField, "choice"),
    ]
    kind = next(name for cls, name in kinds if isinstance(field, cls))
    assert kind in ACCEPTED, f"{field.field_name}: {kind}"
    return kind
