"""Each request gets an id, its caller's address, a place in the audit trail and a line in the log."""

import ipaddress
import logging
import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse

from autoful import health, metrics
from autoful.actor import NOBODY, Actor, Origin, Role, coming_from, identified, identify
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
    ours = secrets.token_hex(16)
    return f"{brought}.{ours}" if REQUEST_ID.fullmatch(brought) else ours


def client_address(environ: dict[str, Any]) -> str | None:
    """The address that is calling.

    X-Forwarded-For is believed only hop by hop from TRUSTED_PROXIES, from the right: whatever
    stands left of the first stranger was written by the stranger.
    """
    address = _plain(str(environ.get("REMOTE_ADDR") or ""))
    hops = str(environ.get("HTTP_X_FORWARDED_FOR") or "").split(",")
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


def believe_proxies_alone(environ: dict[str, Any]) -> None:
    """Take out of a request what only one of TRUSTED_PROXIES may say: that it came by HTTPS."""
    if not _is_trusted(_plain(str(environ.get("REMOTE_ADDR") or ""))):
        environ.pop("HTTP_X_FORWARDED_PROTO", None)


@contextmanager
def answering(environ: dict[str, Any], caller: Callable[[], Actor]) -> Iterator["Answering"]:
    """A request is answered inside: all that is done there came from it.

    `environ` is what WSGI says of it, `caller` finds out who is signed in.
    """
    request_id = new_request_id(environ.get("HTTP_X_REQUEST_ID", ""))
    origin = Origin(request_id, client_address(environ), caller)
    one = Answering(origin, time.perf_counter())
    with coming_from(origin), metrics.in_flight():
        yield one


@dataclass(frozen=True, slots=True)
class Answering:
    """A request that is being answered, and since when."""

    origin: Origin
    started: float

    def tell(self, route: str | None, method: str | None, status: int) -> None:
        """Say in the log and the figures what was answered.

        `route` is the pattern, not the path: paths and query strings can hold private data.
        """
        seconds = time.perf_counter() - self.started
        metrics.answered(route=route, method=method, status=status, seconds=seconds)
        logger.info(
            "request",
            extra={
                # One that nobody knows is whatever a client likes to write there.
                "method": method if method in metrics.METHODS else "other",
                "route": route,
                "status": status,
                "milliseconds": round(seconds * 1000, 1),
                "caller": str(actor) if (actor := identified()) else None,
                "address": self.origin.address,
            },
        )


class RequestContext:
    """The outermost middleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        believe_proxies_alone(request.META)
        with answering(request.META, lambda: caller(request)) as one:
            response = self.get_response(request)
            response["X-Request-ID"] = one.origin.request_id
            match = request.resolver_match
            if identified() is None and hasattr(request, "_cached_user"):
                # If nothing has asked, nor do we: it may read the session once more.
                identify(caller(request))
            one.tell(match.route if match else None, request.method, response.status_code)
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


class OtherOrigins(CorsMiddleware):
    """What pages of other origins may ask. Where none may, no answer depends on who asks."""

    def __call__(self, request: HttpRequest) -> Any:
        step = super().__call__ if settings.CORS_ALLOWED_ORIGINS else self.get_response
        return step(request)


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
