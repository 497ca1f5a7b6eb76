"""Ending the sign-ins of another day.

A backup holds the sessions and the token versions of its moment: whoever signed out, was shut out
or changed a stolen password since would be signed in again.
"""

from contextlib import suppress

from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.db import transaction
from django.db.models import F

from autoful.accounts.models import User

# More password changes than an account sees in the hour that a token lasts: no token issued
# between the backup and its return has a version that this one will ever have.
AHEAD = 10_000


def end_all() -> None:
    """Everybody signs in again: sessions go, and no token issued so far is good any more."""
    with transaction.atomic():
        Session.objects.all().delete()
        User.objects.update(token_version=F("token_version") + AHEAD)
    for name in ("default", "lists"):
        # Sessions and pages of the shop that was. Without Redis there are none to be had, and
        # pages are forgotten within a minute.
        with suppress(Exception):
            caches[name].clear()
