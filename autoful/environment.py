"""Reading the environment: every value is checked here, and a wrong one is refused by its name.

django-environ parses `.env` and the URLs; its casts are not used for values, because they take
a misspelt boolean for False.
"""

import ipaddress
import os
import re
import secrets
import zoneinfo
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

ON = {"on", "true", "yes", "1"}
OFF = {"off", "false", "no", "0"}

# Every variable of ours, so that a misspelt one can be pointed out.
KNOWN = {
    "AUTOFUL_CURRENCY",
    "AUTOFUL_DATA",
    "AUTOFUL_ENV_FILE",
    "AUTOFUL_HTTPS",
    "AUTOFUL_MECHANIC_SIGNUP",
    "AUTOFUL_METRICS_TOKEN",
    "AUTOFUL_PUBLIC_READS",
    "AUTOFUL_RATE_LIMITS",
    "AUTOFUL_TIME_ZONE",
    # The tests' own.
    "AUTOFUL_DRILL_SIZE",
    "AUTOFUL_FUZZ_EXAMPLES",
    "AUTOFUL_FUZZ_SEED",
    "AUTOFUL_NEWMAN",
}

LOOPBACK_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
HOST = re.compile(r"\*|\.?[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]")
# Also of an app's own scheme: capacitor://localhost.
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
RATE = re.compile(r"^[0-9]+/([1-9][0-9]*)?(s|m|h|d|sec|min|minute|hour|day)$")


def read_env_file(path: Path) -> None:
    """Load `.env`; variables that are already set win. An empty AUTOFUL_ENV_FILE means no file."""
    named = os.environ.get("AUTOFUL_ENV_FILE")
    if named and not Path(named).is_file():
        raise ImproperlyConfigured(f"AUTOFUL_ENV_FILE names {named}, and there is no such file.")
    if named is None and path.is_file():
        named = str(path)
    if named:
        try:
            lines = Path(named).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError as wrong:
            raise ImproperlyConfigured(
                f"{named} cannot be read ({wrong.strerror}). Run this as the user it belongs to."
            ) from wrong
        # django-environ goes on without what it cannot read, a file or a line of it.
        for number, line in enumerate(lines, start=1):
            if line.strip() and not re.match(r"\s*(#|(export\s+)?[A-Za-z_]\w*\s*=)", line):
                raise ImproperlyConfigured(f"Line {number} of {named} is not NAME=value.")
        environ.Env.read_env(named)


def text(name: str, default: str = "") -> str:
    """The value of `name`; unset and empty are the same thing."""
    return os.environ.get(name, "").strip() or default


def switch(name: str, default: bool) -> bool:
    """on or off."""
    value = text(name, "on" if default else "off").lower()
    if value not in ON | OFF:
        raise ImproperlyConfigured(f"{name} must be on or off, not {value!r}.")
    return value in ON


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    """One word of `allowed`."""
    value = text(name, default).lower()
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(allowed)}, not {value!r}.")
    return value


def number(name: str, default: int, lowest: int, highest: int) -> int:
    """A whole number from `lowest` to `highest`."""
    value = text(name, str(default))
    if not (value.isascii() and value.isdigit() and lowest <= int(value) <= highest):
        raise ImproperlyConfigured(
            f"{name} must be a whole number from {lowest} to {highest}, not {value!r}."
        )
    return int(value)


def names(name: str, default: list[str] | None = None) -> list[str]:
    """A list separated by commas."""
    found = [part.strip() for part in text(name).split(",") if part.strip()]
    return found or list(default or [])


def origins(name: str) -> list[str]:
    """Where pages come from, as browsers write it in `Origin`, separated by commas."""
    found = names(name)
    for origin in found:
        if not ORIGIN.fullmatch(origin):
            raise ImproperlyConfigured(
                f"{name} takes origins such as https://app.example.com, in small letters, without a "
                f"path and separated by commas; {origin!r} is none."
            )
    return found


def hosts(name: str, default: list[str]) -> list[str]:
    """Names or addresses without scheme and port, separated by commas."""
    found = names(name, default)
    for host in found:
        if not HOST.fullmatch(host):
            raise ImproperlyConfigured(
                f"{name} takes names such as shop.example.com, without https:// and without a "
                f"port; {host!r} would never match."
            )
    return found


def folder(name: str, default: Path, *, make: bool) -> Path:
    """A folder, made when it is not there and `make` says so."""
    path = Path(text(name, str(default)))
    if make:
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds everybody's data
        except OSError as wrong:
            raise _unwritable(path, wrong) from wrong
    return path


def kept_secret(path: Path) -> str:
    """The secret kept in `path`; made when there is none yet."""
    try:
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(64))
        return path.read_text().strip()
    except OSError as wrong:
        raise _unwritable(path.parent, wrong) from wrong


def token(name: str) -> str:
    """A secret that a program sends in a header, or nothing."""
    value = text(name)
    if value and not re.fullmatch(r"[!-~]{24,}", value):
        # Not repeated: the one that is refused may be in use elsewhere.
        raise ImproperlyConfigured(
            f"{name} must have at least 24 letters, digits and signs, and no spaces."
        )
    return value


def _unwritable(path: Path, wrong: OSError) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"the folder {path} cannot be written ({wrong.strerror}). "
        "Make it writable, or name another one in AUTOFUL_DATA."
    )


def database(name: str, url: str) -> dict[str, Any]:
    """Django's settings for the `mysql://` URL that `name` has."""
    parts = urlsplit(url)
    if parts.scheme not in {"mysql", "mariadb"}:
        raise ImproperlyConfigured(
            f"{name} must look like mysql://user:password@host:3306/autoful; "
            "leave it out for SQLite."
        )
    if not _has_place(parts) or not re.fullmatch("/[^/@]+", parts.path) or parts.fragment:
        raise ImproperlyConfigured(
            f"{name} must name a host, a port if any, and a database. Is a special character of "
            "the password (@ / # ? %) not written as %40 …?"
        )
    return dict(environ.Env.db_url_config(url.replace("mariadb://", "mysql://", 1)))


def _has_place(parts: SplitResult) -> bool:
    """Whether the URL has a host, and a port that is a number or none."""
    try:
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def redis(name: str) -> str:
    """A `redis://` URL, or nothing."""
    url = text(name)
    parts = urlsplit(url)
    if url and (
        parts.scheme not in {"redis", "rediss", "unix"}
        or (parts.scheme != "unix" and not _has_place(parts))
    ):
        raise ImproperlyConfigured(f"{name} must look like redis://host:6379/0.")
    return url


def redis_caches(url: str) -> dict[str, dict[str, Any]]:
    """Django's settings for our caches in the Redis at `url`."""
    options: dict[str, Any] = {
        # While Redis is away it is not asked: autoful/outage.py.
        "REDIS_CLIENT_CLASS": "autoful.outage.Client",
        "CLIENT_CLASS": "autoful.outage.CacheClient",
        # Together half a second, which is what finding out may cost a request.
        "SOCKET_CONNECT_TIMEOUT": 0.2,
        "SOCKET_TIMEOUT": 0.3,
    }
    redis = {"BACKEND": "django_redis.cache.RedisCache", "LOCATION": url, "OPTIONS": options}
    return {
        # What it keeps can be made again, so its errors are nobody's business.
        "default": redis
        | {"KEY_PREFIX": "autoful", "OPTIONS": options | {"IGNORE_EXCEPTIONS": True}},
        # These must hear of every error: a call that was not counted here is counted elsewhere.
        "lists": redis | {"KEY_PREFIX": "autoful-lists"},
        "limits": redis | {"KEY_PREFIX": "autoful-limits"},
    }


def rate_limits(
    name: str,
    everywhere: list[str],
    own: dict[str, str],
    alone: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, list[str]] | None:
    """The rates of each route, under `default` those of every other one; None when limits are off.

    `on`, `off`, or overrides such as `customers.list=500/hour,default=100/min+1000/day`. A route's
    own rate stands beside those of everywhere, but for those that stand `alone`; an override
    replaces both.
    """
    value = text(name, "on")
    if value.lower() in OFF:
        return None
    overrides: dict[str, list[str]] = {}
    for entry in value.split(",") if value.lower() not in ON else []:
        route, _, rates = (part.strip() for part in entry.partition("="))
        if not re.fullmatch(r"default|[a-z_]+\.[a-z_-]+", route) or not all(
            RATE.match(rate) for rate in rates.split("+")
        ):
            raise ImproperlyConfigured(
                f"{name} must be on, off or overrides like customers.login=10/min; "
                f"{entry.strip()!r} is none of them."
            )
        overrides[route] = rates.split("+")
    default = overrides.get("default", everywhere)
    return {
        "default": default,
        **{route: [rate, *default] for route, rate in own.items()},
        **{counted: [rate] for counted, rate in alone.items()},
    } | overrides


def time_zone(name: str, default: str) -> str:
    """A name of the tz database, such as America/New_York."""
    value = text(name, default)
    if value not in zoneinfo.available_timezones():
        raise ImproperlyConfigured(
            f"{name} must be a time zone such as America/New_York, not {value!r}."
        )
    return value


def currency(name: str, default: str) -> str:
    """A code of ISO 4217, such as EUR."""
    value = text(name, default)
    if not re.fullmatch(r"[A-Z]{3}", value):
        raise ImproperlyConfigured(f"{name} must be a currency code such as EUR, not {value!r}.")
    return value


def networks(name: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Addresses or networks, separated by commas."""
    try:
        return [ipaddress.ip_network(entry) for entry in names(name)]
    except ValueError as wrong:
        raise ImproperlyConfigured(f"{name}: {wrong}.") from wrong


def cores() -> int:
    """The processors this process may use; a container may have fewer than its machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
