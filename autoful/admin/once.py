"""A form that is sent twice takes effect once.

A page that enters something carries a word of its own, and whoever sends it writes the word down in the
transaction of what it does, beside the API's keys. A second click, a reload, or a proxy that tries again
finds it there.
"""

import hashlib
import uuid

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from autoful.actor import Actor
from autoful.api.idempotency import forget
from autoful.errors import DomainError
from autoful.models import IdempotencyKey

FIELD = "_once"  # in templates/admin/once.html


class SentAlready(DomainError):
    code = "sent_already"
    status = 409

    def __init__(self) -> None:
        super().__init__(
            "This form was sent already, and what it says is saved. To do it once more, open the page again."
        )


def new() -> str:
    """A word for a page that is shown."""
    return uuid.uuid4().hex


def claim(request: HttpRequest, actor: Actor) -> IdempotencyKey | None:
    """Write the form's word down, inside the transaction of what it does; it waits for whoever is at it.
    Whoever does nothing after all deletes it again. A form without one is let through.

    Raises SentAlready.
    """
    if not (word := request.POST.get(FIELD)):
        return None
    name = f"{request.path} {word}"
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(
                caller=actor.hat,
                route="back office",
                key_hash=hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest(),
                fingerprint="",
            )
    except IntegrityError as taken:
        raise SentAlready from taken


def tidy(request: HttpRequest) -> None:
    """Forget old words now and then; outside of any transaction."""
    if FIELD in request.POST:
        forget()
