"""The set-up of every test.

It comes from the environment: nothing set means SQLite and the in-process cache, DATABASE_URL and
REDIS_URL mean those servers. What a test needs different from a shop is said here, once. It is
said to the settings and not to the environment, because pytest-django has read them by now.
"""

import gc
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_data = tempfile.TemporaryDirectory(prefix="autoful-test-", ignore_cleanup_errors=True)


def pytest_configure(config: pytest.Config) -> None:
    from django.conf import settings
    from django.contrib.auth.hashers import BCryptSHA256PasswordHasher
    from django.db import connections

    from autoful.testing.shops import redis_database

    _heed_signals()

    # Every worker has a folder, a database and a Redis database of its own.
    folder = Path(_data.name)
    settings.AUTOFUL_DATA = folder
    settings.STATIC_ROOT = folder / "static"
    settings.STATIC_ROOT.mkdir()  # whitenoise warns without it
    if connections["default"].vendor == "sqlite":
        # A file with a log, as in a shop: in memory, threads would lock each other out.
        connections.settings["default"]["TEST"]["NAME"] = str(folder / "test.sqlite3")
    for cache in settings.CACHES.values():
        if settings.REDIS_URL and cache.get("LOCATION") == settings.REDIS_URL:
            cache["LOCATION"] = redis_database(settings.REDIS_URL, "tests")

    # As slow as it is for whoever guesses, a hash would be a sixth of all tests. Servers that tests
    # start take the whole time.
    BCryptSHA256PasswordHasher.rounds = 4

    # Nothing is collected, so there is no manifest to look hashed names up in.
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    # Each test client would look for every static file there is.
    settings.WHITENOISE_USE_FINDERS = False
    # The test client speaks plain HTTP; tests of HTTPS switch it on again.
    settings.AUTOFUL_HTTPS = settings.SECURE_SSL_REDIRECT = False
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = False


def _heed_signals() -> None:
    """As at a terminal: what tests start is told to end, and nohup and & would make it deaf."""
    for name, heed in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
        signum = getattr(signal, name, None)  # Windows has no SIGHUP
        if signum is not None and signal.getsignal(signum) is signal.SIG_IGN:
            signal.signal(signum, heed)


# Each of these folders has servers of its own, which would be started once more by each worker.
TOGETHER = ("tests/browser/", "tests/contract/")
# They take minutes: begun last, the other workers would wait for them.
LONG = (*TOGETHER, "tests/test_schema.py", "tests/test_stopping.py", "tests/test_postman.py")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        return next((n for n, path in enumerate(LONG) if item.nodeid.startswith(path)), len(LONG))

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """What is loaded by now stays: the collector needs not look at it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """A file's tests share a worker, and so what is costly to set up, such as a running server; so
    do those of some folders.
    """
    from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

    class Scheduling(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            folder = next((f for f in TOGETHER if nodeid.startswith(f)), None)
            return folder or str(super()._split_scope(nodeid))

    config.option.loadscopereorder = False  # it would put the files with most tests first
    return Scheduling(config, log) if config.getoption("dist") == "load" else None


def pytest_unconfigure(config: pytest.Config) -> None:
    _data.cleanup()


@pytest.fixture(autouse=True)
def _empty_caches() -> None:
    """No test sees what another left in a list's cache or in a limit's count."""
    from django.conf import settings
    from django.core.cache import caches

    for name in settings.CACHES:
        caches[name].clear()


def _persona(name: str) -> Callable[..., Any]:
    @pytest.fixture(name=name)
    def make(db: None) -> Any:
        from autoful.testing import personas

        return getattr(personas, name)()

    return make


nobody = _persona("nobody")
sarah = _persona("sarah")
tom = _persona("tom")
mike = _persona("mike")
lisa = _persona("lisa")
boss = _persona("boss")
clerk = _persona("clerk")
