"""The application with one of its protections off, for the controls: granian is given these."""

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

from django.db import connections

# First: what comes after it needs the apps, which it loads.
from autoful.wsgi import application  # isort: skip
from autoful.mysql import WEB_PATIENCE
from autoful.testing.rivals import without_transactions as verbs_without

_for_good = ExitStack()


def _without(protection: Callable[[], None]) -> Callable[..., Iterable[bytes]]:
    taken_away = []

    def unprotected(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not taken_away:
            taken_away.append(protection)
            protection()
        return application(environ, start_response)

    return unprotected


def _transactions() -> None:
    _for_good.enter_context(verbs_without())


def _patience() -> None:
    from django.db.backends.mysql import base  # the embedded set-up has no driver for it

    from autoful.mysql.base import DatabaseWrapper

    for name in ("connect_timeout", *WEB_PATIENCE):
        connections.settings["default"]["OPTIONS"].pop(name)
    connections["default"].close()
    for name in ("get_new_connection", "is_usable"):
        setattr(DatabaseWrapper, name, getattr(base.DatabaseWrapper, name))


without_transactions = _without(_transactions)
without_patience = _without(_patience)
