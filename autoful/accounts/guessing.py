"""Tries at a password, counted for the account that they would open.

A route's limit counts its caller, and whoever has ten thousand addresses is ten thousand callers.
So a try is also counted against its e-mail, at every door alike and whether or not anybody has that
e-mail. Why strangers cannot lock somebody out with it: docs/adr/0010-guessing-passwords.md.
"""

from django.core.cache import caches
from django.utils.crypto import salted_hmac

from autoful import limits, outage
from autoful.accounts.models import normalize_email
from autoful.actor import current_origin

LIMIT = "accounts.password"  # its name in RATE_LIMITS
REMEMBERED_SECONDS = 30 * 24 * 3600


def count_try(email: str) -> None:
    """Count a try at the password of `email`. Raises TooManyRequests; ask before you hash.

    An address from which the account was signed in to is counted by itself; all others together.
    What comes from the command line is nobody's guess.
    """
    origin = current_origin()
    if origin is None:
        return
    account, address = _digest(email), limits.address_key(origin.address)
    usage = limits.use(LIMIT, f"{account}@{address}" if _knows(account, address) else account)
    if usage.wait:
        raise limits.TooManyRequests(usage)


def remember_address(email: str) -> None:
    """Somebody has signed in with `email` from the address that is calling."""
    if (origin := current_origin()) is not None:
        slot = _slot(_digest(email), limits.address_key(origin.address))
        outage.ask(lambda: caches["limits"].set(slot, True, REMEMBERED_SECONDS))
        # Here as well: when Redis is away, people must not become strangers where they sit.
        caches["limits-local"].set(slot, True, REMEMBERED_SECONDS)


def _knows(account: str, address: str) -> bool:
    slot = _slot(account, address)
    return bool(outage.ask(lambda: caches["limits"].get(slot)) or caches["limits-local"].get(slot))


def _slot(account: str, address: str) -> str:
    return f"signed-in:{account}:{address}"


def _digest(email: str) -> str:
    """The e-mail as the cache may know it: not at all."""
    spelled = normalize_email(email).encode("utf-8", "backslashreplace")
    return salted_hmac("autoful.accounts.guessing", spelled, algorithm="sha256").hexdigest()
