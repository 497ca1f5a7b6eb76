"""Filling an empty shop with a believable year, through the same verbs as everybody."""

import datetime
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from autoful.accounts.models import User
from customers.models import Customer
from embedded import story
from embedded.diary import Diary
from embedded.year import Progress, Year
from inventory.models import Part
from mechanics.models import Mechanic
from tickets.models import ServiceTicket

# Public, and of every demo account: the shop is for trying out.
DEMO_PASSWORD = "autoful-demo"  # noqa: S105


class SignIn(NamedTuple):
    role: str
    email: str
    where: str


OWNER = SignIn("owner", "owner@autoful.example", "/admin/")
MECHANIC = SignIn("mechanic", "mechanic@autoful.example", "POST /mechanics/login")
CUSTOMER = SignIn("customer", "customer@autoful.example", "POST /customers/login")


class ShopNotEmpty(Exception):
    """The shop has people, parts or tickets; the demo shop is never mixed into a real one."""


def is_empty() -> bool:
    """Whether nobody has ever used this shop."""
    return not any(
        model._base_manager.exists() for model in (User, Customer, Mechanic, Part, ServiceTicket)
    )


def fill(*, progress: Progress, now: datetime.datetime | None = None) -> None:
    """The demo shop, whole or not at all; `progress` is told how many tickets of how many.

    Deterministic: the same moment makes the same shop. Raises ShopNotEmpty.
    """
    planned = story.plan(now=timezone.localtime(now))
    # Hashed once for all, outside the transaction: a hash takes a fifth of a second, by design.
    password_hash = make_password(DEMO_PASSWORD)
    with transaction.atomic():
        if not is_empty():
            raise ShopNotEmpty
        diary = Diary(planned.began)
        with diary.kept():
            Year(
                story=planned,
                diary=diary,
                emails=(OWNER.email, MECHANIC.email, CUSTOMER.email),
                password_hash=password_hash,
                progress=progress,
            ).happen()
        diary.date_rows()
        # Before the commit: a mark of a shop that never came to be matches no account.
        _remember(password_hash)


def sign_ins() -> list[SignIn]:
    """The demo accounts that still have the public password, without hashing it anew.

    What was stored when the shop was filled is compared with what is stored now.
    """
    try:
        password_hash = _mark().read_text(encoding="ascii").strip()
    except OSError:
        return []
    open_ = set(
        User.objects.filter(is_active=True, password=password_hash).values_list("email", flat=True)
    )
    return [each for each in (OWNER, MECHANIC, CUSTOMER) if each.email in open_]


def _mark() -> Path:
    return Path(settings.AUTOFUL_DATA) / "demo_shop"


def _remember(password_hash: str) -> None:
    if not settings.PRODUCTION:  # only `manage.py run` asks
        _mark().parent.mkdir(parents=True, exist_ok=True)
        _mark().write_text(password_hash + "\n", encoding="ascii")
