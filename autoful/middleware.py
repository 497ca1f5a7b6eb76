"""Each request gets an id, its caller's address, a place in the audit trail and a line in the log."""

import ipaddress
import logging
import re
import time
import uuid
from collections.abc import Callable
from functools import lru_cache
from typing import ClassVar

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

from autoful import health, metrics
from autoful.actor import NOBODY, Actor, Origin, Role, coming_from, identified
from autoful.api import errors
from autoful.sheets.limits import LARGEST_FILE

logger = logging.getLogger("autoful.access")

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
LENGTH = re.compile(r"[0-9]{1,18}")
# A spreadsheet's page, and the file with what is around it in the form.
TAKES_FILES = re.compile(r"/admin/\w+/\w+/import/")
LARGEST_UPLOAD = LARGEST_FILE + 64 * 1024


def new_request_id(brought: str) -> str:
    """One that no other request has, beginning with the id that the client brought.

    So their log and ours can be joined, also when no answer reached them; and nobody can give two
    requests one id, by which the log and the audit trail are found. Anything odd is left out.
    """
    ours = uuid.uuid4().hex
    return f"{brought}.{ours}" if REQUEST_ID.fullmatch(brought) else ours


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


@lru_cache(maxsize=4096)
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


def _known(request: HttpRequest) -> Actor | None:
    """The caller, if anything asked; to ask here may read the session once more."""
    if (actor := identified()) is not None:
        return actor
    return caller(request) if hasattr(request, "_cached_user") else None


class RequestContext:
    """The outermost middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        if not _is_trusted(_plain(str(request.META.get("REMOTE_ADDR") or ""))):
            request.META.pop("HTTP_X_FORWARDED_PROTO", None)
        request_id = new_request_id(request.META.get("HTTP_X_REQUEST_ID", ""))
        origin = Origin(request_id, client_address(request), lambda: caller(request))
        with coming_from(origin), metrics.in_flight():
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            match = request.resolver_match
            # The pattern, not the path: paths and query strings can hold private data.
            route = match.route if match else None
            seconds = time.perf_counter() - started
            metrics.answered(
                route=route, method=request.method, status=response.status_code, seconds=seconds
            )
            logger.info(
                "request",
                extra={
                    # One that nobody knows is whatever a client likes to write there.
                    "method": request.method if request.method in metrics.METHODS else "other",
                    "route": route,
                    "status": response.status_code,
                    "milliseconds": round(seconds * 1000, 1),
                    "caller": str(actor) if (actor := _known(request)) else None,
                    "address": origin.address,
                },
            )
        return response


class ContentPolicy:
    """What a page may load, run and send to: what comes from here alone, and no script that stands
    in the page. So a text that gets past every escape is still no program.
    """

    policy: ClassVar = {
        "default-src": "'self'",
        "object-src": "'none'",
        "script-src": "'self'",
        # Alpine, Swagger and Redoc write styles into elements.
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "connect-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    # By the beginning of the path; what stands here takes the place of the same word above.
    more: ClassVar = {
        # Alpine reads the attributes that unfold's templates have, by the Function constructor.
        "/admin/": {"script-src": "'self' 'unsafe-eval'"},
        "/api/redoc": {"worker-src": "blob:"},
    }

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.get("Content-Type", "").startswith("text/html"):
            response["Content-Security-Policy"] = self._for(request.path)
        return response

    def _for(self, path: str) -> str:
        own = next((more for start, more in self.more.items() if path.startswith(start)), {})
        return "; ".join(f"{word} {sources}" for word, sources in (self.policy | own).items())


class BodyLimit:
    """Refuses a body that is larger than any form, or of a length that is no number, before anything
    reads it.

    Django's own limit leaves files out, and would write them to the disk of whoever asks for a
    sign-in. Routes of the API take less: autoful/api/viewsets.py. The pages that take a file look who
    sends it before they read it: autoful/sheets/pages.py.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not LENGTH.fullmatch(length):
            return errors.bad_request(request, BadRequest())
        takes_files = TAKES_FILES.fullmatch(request.path)
        largest = LARGEST_UPLOAD if takes_files else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        if int(length) > largest:
            return errors.too_large(request)
        return self.get_response(request)


class HealthProbes:
    """Answers /health/live, /health/ready and /metrics before anything looks at host or scheme.

    Load balancers and Prometheus ask by address and over plain HTTP, from inside; they know
    neither our name nor our certificate.
    """

    probes: dict[str, Callable[[HttpRequest], HttpResponse | None]] = {
        "/health/live": health.live,
        "/health/ready": health.ready,
        "/metrics": metrics.page,
    }

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        probe = self.probes.get(request.path.removesuffix("/"))
        answer = probe(request) if probe else None
        return self.get_response(request) if answer is None else answer
