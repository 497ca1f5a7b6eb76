"""Each request gets an id, its caller's address, a place in the audit trail and a line in the log."""

import ipaddress
import logging
import re
import time
import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from autoful import health
from autoful.actor import NOBODY, Actor, Origin, Role, coming_from, identified

logger = logging.getLogger("autoful.access")

# A client may bring its own id, so that its log and ours can be joined; anything odd is replaced.
REQUEST_ID = re.compile(r"^[A-Za-z0-9._-]{8,64}$")


def client_address(request: HttpRequest) -> str | None:
    """The address that is calling.

    X-Forwarded-For is believed only hop by hop from TRUSTED_PROXIES, from the right: whatever
    stands left of the first stranger was written by the stranger.
    """
    address = _plain(str(request.META.get("REMOTE_ADDR") or ""))
    hops = str(request.META.get("HTTP_X_FORWARDED_FOR") or "").split(",")
    while _is_trusted(address) and hops and (hop := _plain(hops.pop())):
        address = hop
    return address or None


def _plain(text: str) -> str:
    """The address in `text` without a zone, an IPv4 one as such; empty when it is none.

    A proxy that listens on both writes 1.2.3.4 as ::ffff:1.2.3.4, and all of IPv4 would be one
    caller of one /64.
    """
    try:
        address = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _is_trusted(address: str) -> bool:
    return bool(address) and any(
        ipaddress.ip_address(address) in network for network in settings.TRUSTED_PROXIES
    )


def caller(request: HttpRequest) -> Actor:
    """The session's member of staff, or nobody."""
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated and user.is_staff:
        return Actor(Role.BACK_OFFICE, user)
    return NOBODY


class RequestContext:
    """The outermost middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        if not _is_trusted(_plain(str(request.META.get("REMOTE_ADDR") or ""))):
            request.META.pop("HTTP_X_FORWARDED_PROTO", None)
        brought = request.headers.get("X-Request-ID", "")
        request_id = brought if REQUEST_ID.match(brought) else uuid.uuid4().hex
        origin = Origin(request_id, client_address(request), lambda: caller(request))
        with coming_from(origin):
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            match = request.resolver_match
            logger.info(
                "request",
                extra={
                    "method": request.method,
                    # The pattern, not the path: paths and query strings can hold private data.
                    "route": match.route if match else None,
                    "status": response.status_code,
                    "milliseconds": round((time.perf_counter() - started) * 1000, 1),
                    # Not current_actor(): it may read the session from the database again.
                    "caller": str(actor) if (actor := identified()) else None,
                    "address": origin.address,
                },
            )
        return response


class HealthProbes:
    """Answers /health/live and /health/ready before anything looks at the host or the scheme.

    A load balancer asks by address and over plain HTTP, from inside; it knows neither our name
    nor our certificate.
    """

    probes = {"/health/live": health.live, "/health/ready": health.ready}

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = self.probes.get(request.path.removesuffix("/"))
        return probe(request) if probe else self.get_response(request)
