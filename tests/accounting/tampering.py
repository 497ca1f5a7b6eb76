"""Faults in the product that the books must find: each is made on purpose, for a control."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from auditlog.models import LogEntry
from django.contrib.auth.hashers import make_password
from django.db import models

from autoful import actor, audit, tally, written_once
from autoful.accounts import account
from autoful.accounts.models import User
from customers.models import Customer
from inventory.models import Part

Tampering = Callable[[], Any]


@contextmanager
def _after_each_entry(act: Callable[[LogEntry], Any]) -> Iterator[None]:
    write = written_once.last._write

    def writing(said: list[Any]) -> None:
        entries = sum(row.model is LogEntry for row in said)
        write(said)
        for entry in LogEntry.objects.order_by("-pk")[:entries]:
            act(entry)

    with patch.object(written_once.last, "_write", writing):
        yield


def _again(entry: LogEntry) -> None:
    entries: Any = LogEntry._base_manager
    written = {f.attname: getattr(entry, f.attname) for f in LogEntry._meta.concrete_fields}
    entries.bulk_create([LogEntry(**written | {"id": None})])


def _tell(entry: LogEntry, **changed: Any) -> None:
    models.QuerySet(LogEntry).filter(pk=entry.pk).update(**changed)


def _with_hash(entry: LogEntry) -> None:
    hashes = User.objects.values_list("password", flat=True)
    _tell(entry, object_repr=f"{entry.object_repr} {hashes[0]}")


def _log_the_hash(entry: LogEntry) -> None:
    logging.getLogger("autoful").info("%s", User.objects.latest("pk").password)


def _log_the_password(password: str) -> str:
    logging.getLogger("autoful").info("%s", password)
    return make_password(password)


def _no_longer_erased(instance: Any, fields: Any) -> None:
    """What closing an account would leave if it erased nothing."""


def _role(role: str) -> Tampering:
    return lambda: _after_each_entry(
        lambda entry: _tell(entry, additional_data=entry.additional_data | {"role": role})
    )


def _value_changed(entry: LogEntry) -> None:
    changes = {field: [said[0], "7"] for field, said in (entry.changes or {}).items()}
    _tell(entry, changes=changes)


def _first_altered(entry: LogEntry) -> None:
    _tell(LogEntry.objects.earliest("pk"), object_repr=f"somebody else, says {entry.pk}")


def _past_the_verbs(entry: LogEntry) -> None:
    Part.objects.update(location="elsewhere")
    Customer.objects.update(phone="+1 555 0000")


# What is wrong, and what the books say about it.
TAMPERINGS: dict[str, tuple[Tampering, str]] = {
    "updates are not recorded": (
        lambda: patch.object(audit, "record_update", lambda *args, **kwargs: None),
        "missing.*quantity_in_stock",
    ),
    "sign-ins are not recorded": (
        lambda: patch.object(audit, "record_event", lambda *args, **kwargs: None),
        "missing.*signed in",
    ),
    "an entry is written twice": (lambda: _after_each_entry(_again), "too much"),
    "nobody signs entries": (
        lambda: patch.object(audit, "current_actor", lambda: actor.NOBODY),
        "By\\(role='nobody'",
    ),
    "the role is another hat's": (_role("customer"), "By\\(role='customer'"),
    "the request is not named": (
        lambda: _after_each_entry(lambda entry: _tell(entry, cid=None)),
        "None, '",
    ),
    "the address is not kept": (
        lambda: patch.object(audit, "current_origin", lambda: None),
        "', None",
    ),
    "the new value is wrong": (lambda: _after_each_entry(_value_changed), "missing"),
    "a hash is in an entry": (lambda: _after_each_entry(_with_hash), "a secret is in the trail"),
    "a hash is in the log": (lambda: _after_each_entry(_log_the_hash), "a secret is in the log"),
    "a password that opens nothing any more is in the log": (
        lambda: patch.object(account, "make_password", _log_the_password),
        "a secret is in the log",
    ),
    "an old entry is altered": (lambda: _after_each_entry(_first_altered), "somebody else"),
    "a change passes the trail by": (lambda: _after_each_entry(_past_the_verbs), "location|phone"),
    "a total is not kept": (
        lambda: patch.object(tally, "add", lambda name, number: None),
        "kept, . counted",
    ),
    "a count passes the verbs by": (
        lambda: _after_each_entry(lambda entry: Customer.objects.update(ticket_count=7)),
        "ticket_count: 7 kept, 0 counted",
    ),
    "closing erases nothing": (
        lambda: patch.object(audit, "erase_personal_data", _no_longer_erased),
        "erased",
    ),
}
