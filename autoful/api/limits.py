"""How often one caller may call one route.

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
from django.http import HttpRequest
from django_ratelimit.core import _split_rate, get_usage

from autoful import metrics, outage
from autoful.actor import Actor, current_origin
from autoful.errors import DomainError


@dataclass(frozen=True, slots=True)
class Usage:
    """The headers of the limit that is nearest, and the seconds to wait when one is passed."""

    headers: dict[str, str]
    wait: int


class TooManyRequests(DomainError):
    code = "too_many_requests"
    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many requests. Try again in {seconds} seconds.", retry_after=seconds)


def caller_key(actor: Actor, address: str | None) -> str:
    """Whom a call is counted for. An IPv6 customer owns a /64, not an address."""
    if actor.user is not None:
        return f"account:{actor.user.pk}"
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


def count(request: HttpRequest, route: str, actor: Actor) -> Usage:
    """Count this call against every limit of its route.

    What is over one limit is still counted in the others.
    """
    if settings.RATE_LIMITS is None:
        return Usage(headers={}, wait=0)
    rates = settings.RATE_LIMITS.get(route, settings.RATE_LIMITS["default"])
    origin = current_origin()
    key = caller_key(actor, origin.address if origin else None)
    usages = [_usage(request, route, key, rate) for rate in rates]
    wait = max((u["time_left"] for u in usages if u["should_limit"]), default=0)
    if wait:
        metrics.count("limited", route=route)
    nearest = min(usages, key=lambda usage: (usage["limit"] - usage["count"], -usage["time_left"]))
    return Usage(
        headers={
            "RateLimit-Limit": str(nearest["limit"]),
            "RateLimit-Remaining": str(max(0, nearest["limit"] - nearest["count"])),
            "RateLimit-Reset": str(nearest["time_left"]),
        },
        wait=wait,
    )


def _usage(request: HttpRequest, route: str, key: str, rate: str) -> dict[str, Any]:
    usage: dict[str, Any] | None = outage.ask(
        lambda: get_usage(request, group=route, key=lambda *_: key, rate=rate, increment=True)
    )
    # Below zero is what django-ratelimit says when the count vanished while it was counting.
    if usage is None or usage["time_left"] < 0:
        return _local_usage(route, key, rate)
    # Its window still counts in the very second it ends: one more, or whoever waits exactly as
    # long as told is refused again.
    return {**usage, "time_left": usage["time_left"] + 1}


def _local_usage(route: str, key: str, rate: str) -> dict[str, Any]:
    limit, period = _split_rate(rate)
    window = int(time.time()) // period
    cache, name = caches["limits-local"], f"{route}:{key}:{rate}:{window}"
    cache.add(name, 0, period)
    count = cache.incr(name)
    return {
        "count": count,
        "limit": limit,
        "should_limit": count > limit,
        "time_left": (window + 1) * period - int(time.time()),
    }
