"""The cursors of `autoful/api/cursors.py` on the newest tickets, by hand."""

import base64
import hashlib
import hmac
import json
import os

# As Django's Signer makes it of the shop's secret and what is signed.
SALT = b"cursor of tickets.serviceticket" + b"signer"
KEY = hashlib.sha256(SALT + os.environ.get("SECRET_KEY", "").encode()).digest()


def write(side: str, ticket: int) -> str:
    said = json.dumps([side, "-id", [ticket]], separators=(",", ":"))
    packed = _encoded(said.encode())
    return f"{packed}.{_encoded(hmac.digest(KEY, packed.encode(), hashlib.sha256))}"


def read(cursor: str) -> int:
    """The ticket that it stands after. Raises ValueError."""
    packed, _, signature = cursor.partition(".")
    right = _encoded(hmac.digest(KEY, packed.encode(), hashlib.sha256))
    if not hmac.compare_digest(right, signature):
        raise ValueError(cursor)
    side, _, (ticket,) = json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
    if side != ">":
        raise ValueError(cursor)
    return int(ticket)


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
