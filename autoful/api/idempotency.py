"""A retry is safe: a request with an Idempotency-Key takes effect once, however often it comes.

The key's row is written in the transaction of the effect (see `writes`), with the answer in it.
Whoever comes again within a day, with the same request, gets that answer to the byte.
"""

import hashlib
import json
import re
import time
from datetime import timedelta
from typing import Any

from django.db import DEFAULT_DB_ALIAS, Error, IntegrityError, OperationalError, transaction
from django.http import HttpResponse, RawPostDataException
from django.utils import timezone
from django.utils.crypto import salted_hmac
from rest_framework.request import Request

from autoful.actor import current_origin
from autoful.api.preconditions import PreconditionFailed
from autoful.errors import DomainError
from autoful.limits import TooManyRequests, address_key
from autoful.models import IdempotencyKey, label

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
KEPT = timedelta(hours=24)
KEY = re.compile(r"[\x20-\x7e]{1,255}")

LOCK_WAIT = 1205
FORGOTTEN_AT_ONCE = 500
FORGET_EVERY = 60.0  # seconds, in each process


class InvalidKey(DomainError):
    code = "invalid_idempotency_key"

    def __init__(self) -> None:
        super().__init__("An Idempotency-Key has 1 to 255 printable ASCII characters.")


class KeyReused(DomainError):
    code = "idempotency_key_reused"
    status = 422

    def __init__(self) -> None:
        super().__init__("This key was used for another request. Take a new key for a new request.")


class InProgress(DomainError):
    code = "request_in_progress"
    status = 409

    def __init__(self) -> None:
        super().__init__("The same request is being worked on. Ask again soon.", retry_after=1)


class AnswerErased(DomainError):
    code = "answer_erased"
    status = 409

    def __init__(self) -> None:
        super().__init__("This was done. What it answered was erased with the account.")


class Repeated(Exception):
    """Another request had this key first, and has been answered since we looked."""


class Key:
    """The key of one request: whose it is, for which route, and what it was asked with."""

    def __init__(self, view: Any, request: Request) -> None:
        key = request.headers[HEADER].strip(" ")
        if not KEY.fullmatch(key):
            raise InvalidKey
        origin = current_origin()
        # A hat, not an account: the customer and the mechanic of one account are two callers.
        known = view.actor.user is not None
        address = origin.address if origin else None
        self.name = {
            "caller": view.actor.hat if known else address_key(address),
            "route": view.route,
            "key_hash": hashlib.sha256(key.encode()).hexdigest(),
        }
        self.fingerprint = _fingerprint(view, request, self.name["route"])
        self._expired: IdempotencyKey | None = None
        self._row = IdempotencyKey()

    def replay(self) -> HttpResponse | None:
        """What this request was answered before, if it was. Raises KeyReused, AnswerErased."""
        # Never from a replica: it may not know yet.
        found = IdempotencyKey.objects.using(DEFAULT_DB_ALIAS).filter(**self.name).first()
        if found is None:
            return None
        if found.created_at < timezone.now() - KEPT:
            self._expired = found
            return None
        if found.fingerprint != self.fingerprint:
            raise KeyReused
        if found.status is None:
            raise AnswerErased
        answer = HttpResponse(
            bytes(found.answer), status=found.status, content_type="application/json"
        )
        answer[REPLAYED] = "true"
        if found.etag:
            answer["ETag"] = found.etag
        return answer

    def claim(self) -> None:
        """Make the key ours until the transaction ends; its first statement.

        Raises Repeated when it is answered already, InProgress when whoever has it takes long.
        """
        if self._expired is not None:
            # By number, as `forget` does: by another index the two could wait for each other.
            IdempotencyKey.objects.filter(pk=self._expired.pk).delete()
        try:
            with transaction.atomic():
                # The unique key makes a second one wait here until the first one is answered.
                self._row = IdempotencyKey.objects.create(**self.name, fingerprint=self.fingerprint)
        except IntegrityError as taken:
            raise Repeated from taken
        except OperationalError as error:
            if error.args[:1] == (LOCK_WAIT,):
                raise InProgress from error
            raise

    def store(self, response: Any) -> None:
        """Remember the answer, in the transaction of what it tells of."""
        row = getattr(response, "row", None)
        IdempotencyKey.objects.filter(pk=self._row.pk).update(
            status=response.status_code,
            answer=response.content,
            etag=response.get("ETag", ""),
            about=label(row) if row is not None else "",
        )


def is_decided(refusal: DomainError) -> bool:
    """Whether a refusal is remembered: a rule's, not the moment's.

    A version once left never comes back, so a late 412 is one again without being remembered, and
    whoever reads the row again may go on with the same key.
    """
    of_the_moment = InProgress | PreconditionFailed | TooManyRequests
    return refusal.status < 500 and not isinstance(refusal, of_the_moment)


def _fingerprint(view: Any, request: Request, route: str) -> str:
    http = request._request
    try:
        body = http.body
    except RawPostDataException:  # a form, read already to find its CSRF token
        body = repr(sorted(http.POST.lists())).encode("utf-8", "surrogatepass")
    asked = [
        http.method,
        route,
        sorted((name, int(number)) for name, number in view.kwargs.items()),
        sorted(http.GET.lists()),
        http.content_type,
    ]
    # Keyed: a body may hold a password, and a plain hash of it could be guessed at leisure.
    return salted_hmac(
        "autoful.idempotency", json.dumps(asked).encode() + b"\0" + body, algorithm="sha256"
    ).hexdigest()


_forget_after = 0.0


def forget() -> None:
    """Now and then, delete some of what is older than a day; outside of any transaction."""
    global _forget_after
    if time.monotonic() < _forget_after:
        return
    _forget_after = time.monotonic() + FORGET_EVERY
    old = IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT)
    try:
        numbers = list(old.order_by("created_at").values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])
        if numbers:
            # In the order of their numbers, and by them alone: two who forget never deadlock.
            old.filter(pk__in=sorted(numbers)).delete()
    except Error:
        # Somebody else is at it, or the database is going away. The request is answered.
        return
    if len(numbers) == FORGOTTEN_AT_ONCE:
        _forget_after = 0.0
