"""Who did something, as those who work here know them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from autoful.accounts.models import User
from autoful.actor import Actor, Role

WITH_NAMES = tuple(f"actor__{role}" for role in settings.ROLES)  # for select_related


@dataclass(frozen=True)
class Who:
    """`name` is what they call themselves, `hat` what they cannot choose: "Mike Chen", "mechanic 3"."""

    name: str
    hat: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.hat})" if self.hat else self.name


def back_office(request: HttpRequest) -> Actor:
    """Who is signed in, as the verbs are told."""
    return Actor(Role.BACK_OFFICE, cast(User, request.user))


def who_of(user: User | None, role: str) -> Who:
    """Who it was: an account, in a role."""
    if user is None:
        return Who("Autoful") if role == Role.COMMAND else Who("Somebody", "not signed in")
    if role in settings.ROLES:
        profile = getattr(user, role, None)
        if profile is None:  # closed, and its e-mail with it
            return Who(f"A {role} who has left")
        return Who(str(profile), f"{role} {profile.pk}")
    return Who(user.email, role.replace("_", " "))


def colleague(user: User | None) -> str:
    """An account of somebody who works here, by the name that the others know."""
    return "-" if user is None else str(getattr(user, Role.MECHANIC, None) or user.email)


def colleagues_found_by(request: HttpRequest, text: str) -> QuerySet[User]:
    """The accounts of those who are called so. By an e-mail that lists do not show, only whoever sees
    accounts finds somebody."""
    email = Q(email__startswith=text.lower())
    if not request.user.has_perm("accounts.view_user"):
        email &= Q(is_staff=True)
    return User.objects.filter(email | Q(mechanic__name__icontains=text))


class SaysWho:
    """A page, or a table on one, of rows with an actor and the role they had; its rows come with
    WITH_NAMES."""

    @display(description="by")
    def who(self, row: Any) -> str:
        return str(who_of(row.actor, row.role))
