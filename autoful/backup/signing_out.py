"""Ending the sign-ins of another day.

A backup holds the sessions and the token versions of its moment: whoever signed out, was shut out
or changed a stolen password since would be signed in again.
"""

import time

from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from autoful.accounts.models import User
from autoful.api import caching


def end_all() -> None:
    """Everybody signs in again: sessions go, and no token issued so far is good any more.

    Nor is a cached list: it shows the shop that was.

    The clock gives the tokens' new versions, and not the backup: its second restore would otherwise
    make those of its first one anew, with the tokens issued in between. A password change adds one
    to a version, and nobody changes a password once a second from one restore to the next.
    """
    now = int(time.time())  # seconds; the column takes them until 2106
    with transaction.atomic():
        Session.objects.all().delete()
        User.objects.update(token_version=Greatest(F("token_version"), now) + 1)
    # Not `clear`, which empties all of the Redis, with what other caches count and remember there:
    # it may be that of the open shop, and this a rehearsal.
    caching.drop_all()
