"""Ending the sign-ins of another day.

A backup holds the sessions and the token versions of its moment: whoever signed out, was shut out
or changed a stolen password since would be signed in again.
"""

import time
from contextlib import suppress

from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from autoful.accounts.models import User


def end_all() -> None:
    """Everybody signs in again: sessions go, and no token issued so far is good any more.

    The clock gives the new versions, and not the backup: its second restore would otherwise make
    those of its first one anew, with the tokens issued in between. A password change adds one to a
    version, and nobody changes a password once a second from one restore to the next.
    """
    now = int(time.time())  # seconds; the column takes them until 2106
    with transaction.atomic():
        Session.objects.all().delete()
        User.objects.update(token_version=Greatest(F("token_version"), now) + 1)
    for name in ("default", "lists"):
        # Pages of lists of the shop that was. Without Redis there are none to be had, and they are
        # forgotten within a minute.
        with suppress(Exception):
            caches[name].clear()
