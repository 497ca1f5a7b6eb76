"""How often: one caller may call one route, and what else is counted by name and key.

django-ratelimit counts; what is counted is decided here, after authentication: the account where
there is one, else the client address. Its decorator cannot do that, because it runs before the
token is read.
"""

import ipaddress
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django_ratelimit.core import _split_rate, get_usage

from autoful import metrics, outage
from autoful.actor import Actor, Role, current_origin
from autoful.errors import DomainError

MINUTE = 60


@dataclass(frozen=True, slots=True)
class Usage:
    """The headers of the limit that is nearest, and the seconds to wait when one is passed."""

    headers: dict[str, str]
    wait: int


UNLIMITED = Usage(headers={}, wait=0)


class TooManyRequests(DomainError):
    """A limit is passed; `headers` tell of that limit."""

    code = "too_many_requests"
    status = 429

    def __init__(self, usage: Usage) -> None:
        message = f"Too many requests. Try again in {usage.wait} seconds."
        super().__init__(message, retry_after=usage.wait)
        self.headers = usage.headers


def caller_keys(actor: Actor, address: str | None, *, no_sign_in_needed: bool) -> list[str]:
    """Whom a call is counted for: the account, else the address.

    Where no sign-in is needed, the token of somebody who signed up is counted at its address too:
    otherwise each account that registers could register five more. The shop's own people do not use up
    what its customers at the same address need.
    """
    if actor.user is None:
        return [address_key(address)]
    account = f"account:{actor.user.pk}"
    if no_sign_in_needed and actor.role is not Role.BACK_OFFICE:
        return [account, address_key(address)]
    return [account]


def address_key(address: str | None) -> str:
    """An address as it is counted. An IPv6 customer owns a /64, not an address."""
    ip = ipaddress.ip_address(address or "0.0.0.0")  # noqa: S104
    if ip.version == 6:
        return f"address:{ipaddress.ip_network((ip, 64), strict=False)}"
    return f"address:{ip}"


def routes(patterns: Iterable[Any]) -> Iterator[str]:
    """The names of all limited routes, such as customers.login."""
    for pattern in patterns:
        yield from routes(getattr(pattern, "url_patterns", ()))
        view: Any = getattr(pattern, "callback", None)
        for action in getattr(view, "actions", {}).values():
            yield f"{view.cls.list_name}.{action}"


def count(route: str, actor: Actor, *, no_sign_in_needed: bool) -> Usage:
    """Count this call against every limit of its route."""
    if settings.RATE_LIMITS is None:
        return UNLIMITED
    origin = current_origin()
    address = origin.address if origin else None
    return use(route, *caller_keys(actor, address, no_sign_in_needed=no_sign_in_needed))


def use(name: str, *keys: str) -> Usage:
    """Count one more under `name` for each of `keys`, against every rate that `name` has.

    What is over one limit is still counted in the others.
    """
    if settings.RATE_LIMITS is None:
        return UNLIMITED
    rates = settings.RATE_LIMITS.get(name, settings.RATE_LIMITS["default"])
    usages = [_usage(name, key, rate) for key in keys for rate in rates]
    wait = max((u["time_left"] for u in usages if u["should_limit"]), default=0)
    if wait:
        metrics.count("limited", route=name)
    nearest = min(usages, key=lambda usage: (usage["limit"] - usage["count"], -usage["time_left"]))
    return Usage(
        headers={
            "RateLimit-Limit": str(nearest["limit"]),
            "RateLimit-Remaining": str(max(0, nearest["limit"] - nearest["count"])),
            "RateLimit-Reset": str(nearest["time_left"]),
        },
        wait=wait,
    )


def _usage(name: str, key: str, rate: str) -> dict[str, Any]:
    # django-ratelimit lets each value have an hour that begins when no other's does. A minute
    # begins for all at once: a password's and an address's five tries must end together, otherwise
    # the one would now and then refuse before the other is used up.
    _, period = _split_rate(rate)
    value = key if period > MINUTE else "the same minute"
    usage: dict[str, Any] | None = outage.ask(
        lambda: get_usage(
            None, group=f"{name}:{key}", key=lambda *_: value, rate=rate, increment=True
        )
    )
    # Below zero is what django-ratelimit says when the count vanished while it was counting.
    if usage is None or usage["time_left"] < 0:
        return _local_usage(name, key, rate)
    # Its window still counts in the very second it ends: one more, otherwise whoever waits exactly
    # as long as told is refused again.
    return {**usage, "time_left": usage["time_left"] + 1}


def _local_usage(name: str, key: str, rate: str) -> dict[str, Any]:
    limit, period = _split_rate(rate)
    window = int(time.time()) // period
    cache, slot = caches["limits-local"], f"{name}:{key}:{rate}:{window}"
    cache.add(slot, 0, period)
    count = cache.incr(slot)
    return {
        "count": count,
        "limit": limit,
        "should_limit": count > limit,
        "time_left": (window + 1) * period - int(time.time()),
    }
