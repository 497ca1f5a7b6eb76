"""A write: one transaction from its Idempotency-Key, if it brings one, to its answer.

The key's row, the check of If-Match, the verb and the answer are committed together or not at all.
So a client that heard nothing may ask again, and gets what was decided. And an answer tells of what
was done, not of what somebody else has done to the row since.

What was read for an answer is written as JSON after the commit, unless a key keeps it: others may
be waiting for the same part.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from autoful.api import idempotency, preconditions
from autoful.api.idempotency import InProgress, Key, Repeated
from autoful.api.renderers import JSONRenderer
from autoful.db import again, whole
from autoful.errors import DomainError

TRIES = 3


def is_write(view: Any, action: str | None, method: str) -> bool:
    """Whether it may change something, so that a key and a version mean something to it."""
    unsafe = action is not None and method.upper() not in SAFE_METHODS
    return unsafe and action not in view.changes_nothing


def in_one_transaction(
    view: Any, action: Callable[..., Response], request: Request, *args: Any, **kwargs: Any
) -> HttpResponseBase:
    """The action's answer, rendered; or the one it gave before.

    Raises what the action raises, PreconditionFailed, and the refusals of `idempotency`.
    """
    key = Key(view, request) if idempotency.HEADER in request.headers else None
    if key is not None:
        # What is remembered is JSON; a form of the browsable API cannot send a key.
        request.accepted_renderer, request.accepted_media_type = JSONRenderer(), "application/json"
    # A page of the browsable API reads more than the answer.
    is_written_inside = key is not None or request.accepted_renderer.format != "json"

    def written(response: Any) -> Any:
        return view.finalize_response(request, response, *args, **kwargs).render()

    def attempt() -> HttpResponseBase:
        claim = key.claim if key else None
        with whole(first=claim, then=partial(preconditions.demand, view, request)) as one:
            try:
                response = action(request, *args, **kwargs)
                one.begin()  # if no verb did
            except DomainError as refusal:
                if key is None or not idempotency.is_decided(refusal):
                    raise
                # A late duplicate must not be granted what this one was refused.
                one.undo(refusal)
                response = view.handle_exception(refusal)
            if is_written_inside:
                response = written(response)
            if key:
                key.store(response)
        return response

    for _ in range(TRIES):
        if key and (answer := key.replay()):
            return answer
        try:
            response = again(attempt, view.route)
        except Repeated:
            continue
        except Exception:
            # What stood in the way may be what the same request has just done: it deleted the row.
            if key and (answer := key.replay()):
                return answer
            raise
        if key:
            idempotency.forget()
        # Outside of what is tried again: the change is committed.
        return response if is_written_inside else written(response)
    raise InProgress
