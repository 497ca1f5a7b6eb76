"""The token check of `autoful/accounts/tokens.py`, by hand."""

import base64
import hashlib
import hmac
import json
import os
import time
from typing import Any

from bench.limit.database import row

KEY = os.environ.get("SECRET_KEY", "").encode()
LONGEST = 3600
TABLES = {"mechanic": "mechanics_mechanic", "customer": "customers_customer"}
MAY_SIGN_IN = {
    "mechanic": "p.approved AND p.deleted_at IS NULL",
    "customer": "p.deleted_at IS NULL",
}


class Unauthorized(Exception):
    """No token, or one that is no good."""


def bearer(environ: dict[str, Any], role: str) -> tuple[int, int]:
    """The caller's number in `role` and their account's. Raises Unauthorized."""
    claims = _claims(environ.get("HTTP_AUTHORIZATION", ""))
    now = time.time()
    if not (claims["exp"] > now and claims["exp"] - claims["iat"] <= LONGEST):
        raise Unauthorized
    if claims["token_type"] != "access" or claims["role"] != role:
        raise Unauthorized
    number = int(claims["sub"])
    found = row(
        "SELECT u.id, u.token_version, u.is_active, "
        + MAY_SIGN_IN[role]
        + f" FROM {TABLES[role]} p"
        " JOIN accounts_user u ON u.id = p.user_id WHERE p.id = %s",
        number,
    )
    if found is None or not found[2] or not found[3]:
        raise Unauthorized
    if (claims["account"], claims["version"]) != found[:2]:
        raise Unauthorized
    return number, found[0]


def _claims(header: str) -> dict[str, Any]:
    kind, _, token = header.partition(" ")
    signed, _, signature = token.rpartition(".")
    if kind != "Bearer" or not signed:
        raise Unauthorized
    right = hmac.digest(KEY, signed.encode(), hashlib.sha256)
    if not hmac.compare_digest(right, _decoded(signature)):
        raise Unauthorized
    head, _, body = signed.partition(".")
    if json.loads(_decoded(head)).get("alg") != "HS256":
        raise Unauthorized
    found: dict[str, Any] = json.loads(_decoded(body))
    return found


def with_signature(text: str) -> str:
    digest = hmac.digest(KEY, text.encode(), hashlib.sha256)
    return f"{text}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
