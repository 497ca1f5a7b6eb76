"""Taking on, approving, changing and letting go of mechanics."""

from collections.abc import Callable
from decimal import Decimal

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from autoful import audit, tally
from autoful.accounts.account import (
    Credentials,
    change_account,
    close_account,
    credentials,
    open_account,
)
from autoful.actor import Actor, Role
from autoful.db import lock, once
from autoful.models import IdempotencyKey
from autoful.money import to_cents
from autoful.verbs import verb
from mechanics.errors import MechanicNotFound, SignupClosed
from mechanics.models import Mechanic

# What else must happen when a mechanic leaves; the apps above register it, because this one
# does not know them. Called inside the transaction: first, with the mechanic's number, what locks
# rows that stand before mechanics in the order; then, with the mechanic locked, what changes them.
before_leaving: list[Callable[[int], None]] = []
on_leaving: list[Callable[[Mechanic], None]] = []


def register_mechanic(
    *,
    name: str,
    email: str,
    phone: str,
    password: str,
    salary: Decimal | None = None,
    actor: Actor,
) -> Mechanic:
    """A mechanic with an account, approved at once or later as AUTOFUL_MECHANIC_SIGNUP says.

    Entered by a back office that may add mechanics, one is approved already.
    Raises SignupClosed, EmailTaken, TooManyRequests.
    """
    trusted = actor.role is Role.COMMAND or (
        actor.role is Role.BACK_OFFICE and actor.works_here("mechanics.add_mechanic")
    )
    if settings.AUTOFUL_MECHANIC_SIGNUP == "closed" and not trusted:
        raise SignupClosed
    return enter_mechanic(
        name=name,
        phone=phone,
        salary=salary,
        approved=trusted or settings.AUTOFUL_MECHANIC_SIGNUP == "open",
        account=once(credentials, email=email, password=password, role=Role.MECHANIC),
        actor=actor,
    )


@verb
def enter_mechanic(
    *,
    name: str,
    phone: str,
    salary: Decimal | None,
    approved: bool,
    account: Credentials,
    actor: Actor,
) -> Mechanic:
    """The record of a mechanic whose password is hashed already. Raises EmailTaken."""
    return Mechanic.objects.create(
        user=open_account(account),
        name=name,
        phone=phone,
        salary=None if salary is None else to_cents(salary),
        approved=approved,
    )


@verb
def approve(*, mechanic: Mechanic, actor: Actor) -> Mechanic:
    """Let a mechanic who signed up begin. Raises MechanicNotFound."""
    mechanic = lock(Mechanic.objects.existing, mechanic.pk, MechanicNotFound())
    mechanic.approved = True
    mechanic.save(update_fields=["approved", "updated_at"])
    return mechanic


def change_mechanic(
    *,
    mechanic: Mechanic,
    name: str | None = None,
    email: str | None = None,
    phone: str | None = None,
    salary: Decimal | None = None,
    password: str | None = None,
    actor: Actor,
) -> Mechanic:
    """Change what is given; None leaves a field as it is. Raises MechanicNotFound, EmailTaken."""
    return _change(
        mechanic_id=mechanic.pk,
        name=name,
        email=email,
        phone=phone,
        salary=salary,
        password_hash=once(make_password, password) if password is not None else None,
        actor=actor,
    )


@verb
def _change(
    *,
    mechanic_id: int,
    name: str | None,
    email: str | None,
    phone: str | None,
    salary: Decimal | None,
    password_hash: str | None,
    actor: Actor,
) -> Mechanic:
    mechanic = lock(Mechanic.objects.existing, mechanic_id, MechanicNotFound())
    given = {"name": name, "phone": phone, "salary": None if salary is None else to_cents(salary)}
    changed = {field: value for field, value in given.items() if value is not None}
    for field, value in changed.items():
        setattr(mechanic, field, value)
    if mechanic.user is not None:
        mechanic.user = change_account(
            user=mechanic.user,
            hat=mechanic,
            email=email,
            password_hash=password_hash,
            actor=actor,
        )
    if changed:
        mechanic.save(update_fields=[*changed, "updated_at"])
    return mechanic


@verb
def close_mechanic(*, mechanic: Mechanic, actor: Actor) -> None:
    """Let a mechanic go: open assignments are released, past ones keep the name.

    The lock is the one assigning takes: whoever assigns after it finds the mechanic gone,
    whoever assigned before it is seen here. Raises MechanicNotFound.
    """
    for prepare in before_leaving:
        prepare(mechanic.pk)
    mechanic = lock(Mechanic.objects.existing, mechanic.pk, MechanicNotFound())
    for release in on_leaving:
        release(mechanic)
    user = mechanic.user
    mechanic.user, mechanic.phone, mechanic.salary = None, "", None
    mechanic.approved, mechanic.deleted_at = False, timezone.now()
    mechanic.save(
        update_fields=[
            "user",
            "phone",
            "salary",
            "approved",
            "deleted_at",
            "updated_at",
        ]
    )
    tally.add("mechanics", -1)
    audit.erase_personal_data(mechanic, ("phone", "salary", "user"))
    hat = Actor(Role.MECHANIC, profile_id=mechanic.pk).hat
    IdempotencyKey.objects.erase_answers(caller=hat, about=mechanic)
    if user is not None:
        close_account(user=user)
