"""Who is doing it, and from where: one answer for the API, the admin, commands, audit and logs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autoful.accounts.models import User


class Role(StrEnum):
    NOBODY = "nobody"
    CUSTOMER = "customer"
    MECHANIC = "mechanic"
    BACK_OFFICE = "back_office"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class Actor:
    """One person wearing one hat. `profile_id` is the number of the customer or mechanic."""

    role: Role
    user: User | None = None
    profile_id: int | None = None

    def is_profile(self, role: Role, profile_id: int) -> bool:
        """Whether this is that customer or mechanic; the same number in another role is not."""
        return self.role is role and self.profile_id == profile_id

    def works_here(self, permission: str) -> bool:
        """Mechanics, and back office with that Django permission (`inventory.view_part`)."""
        if self.role is Role.BACK_OFFICE:
            return self.user is not None and self.user.has_perm(permission)
        return self.role is Role.MECHANIC

    @property
    def hat(self) -> str:
        """`customer:7`: one person in one role. Rows are found by it, so it stays as it is spelled."""
        if self.profile_id is not None:
            return f"{self.role}:{self.profile_id}"
        return f"{self.role}:{self.user.pk}" if self.user else str(self.role)

    def __str__(self) -> str:
        """For logs: who, without saying anything private."""
        return self.hat


NOBODY = Actor(Role.NOBODY)
COMMAND = Actor(Role.COMMAND)


@dataclass(frozen=True, slots=True)
class Origin:
    """The request it came from; `caller` finds out who is signed in, when asked."""

    request_id: str
    address: str | None
    caller: Callable[[], Actor]


_origin: ContextVar[Origin | None] = ContextVar("origin", default=None)
_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)


@contextmanager
def coming_from(origin: Origin) -> Iterator[None]:
    """Everything done inside came from this request."""
    origin_token, actor_token = _origin.set(origin), _actor.set(None)
    try:
        yield
    finally:
        _origin.reset(origin_token)
        _actor.reset(actor_token)


def identify(actor: Actor) -> None:
    """The caller of this request is known from here on; `coming_from` forgets it at the end."""
    _actor.set(actor)


def identified() -> Actor | None:
    """The caller, if anything has asked yet; asks nothing itself."""
    return _actor.get()


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Everything inside is done by `actor`."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def current_actor() -> Actor:
    """The verb's actor, else whoever is signed in, else the command line."""
    origin = _origin.get()
    return _actor.get() or (origin.caller() if origin else COMMAND)


def current_origin() -> Origin | None:
    return _origin.get()


def request_id() -> str | None:
    origin = _origin.get()
    return origin.request_id if origin else None
