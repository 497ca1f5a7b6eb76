"""Reading the environment: every value is checked here, and a wrong one is refused by its name.

django-environ parses `.env` and the URLs; its casts are not used for values, because they take
a misspelt boolean for False.
"""

import ipaddress
import os
import re
import secrets
import zoneinfo
from pathlib import Path
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
    "AUTOFUL_PUBLIC_READS",
    "AUTOFUL_RATE_LIMITS",
    "AUTOFUL_TIME_ZONE",
    # The tests' own.
    "AUTOFUL_DRILL_SIZE",
    "AUTOFUL_FUZZ_EXAMPLES",
    "AUTOFUL_FUZZ_SEED",
    "AUTOFUL_NEWMAN",
}

RATE = re.compile(r"^[0-9]+/([1-9][0-9]*)?(s|m|h|d|sec|min|minute|hour|day)$")


def read_env_file(path: Path) -> None:
    """Load `.env`; variables that are already set win. An empty AUTOFUL_ENV_FILE means no file."""
    named = os.environ.get("AUTOFUL_ENV_FILE")
    if named and not Path(named).is_file():
        raise ImproperlyConfigured(f"AUTOFUL_ENV_FILE names {named}, and there is no such file.")
    if named is None and path.is_file():
        named = str(path)
    if named:
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


def folder(name: str, default: Path, *, make: bool) -> Path:
    """A folder, made when it is not there and `make` says so."""
    path = Path(text(name, str(default)))
    if make:
        try:
            path.mkdir(parents=True, exist_ok=True)
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


def _unwritable(path: Path, wrong: OSError) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"the folder {path} cannot be written ({wrong.strerror}). "
        "Make it writable, or name another one in AUTOFUL_DATA."
    )


def database(url: str) -> dict[str, Any]:
    """Django's settings for a `mysql://` URL."""
    parts = urlsplit(url)
    if parts.scheme not in {"mysql", "mariadb"}:
        raise ImproperlyConfigured(
            "DATABASE_URL must look like mysql://user:password@host:3306/autoful; "
            "leave it out for SQLite."
        )
    if not _has_place(parts) or not parts.path.strip("/"):
        raise ImproperlyConfigured("DATABASE_URL must name a host, a port if any, and a database.")
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


def rate_limits(
    name: str, everywhere: list[str], own: dict[str, str]
) -> dict[str, list[str]] | None:
    """The rates of each route, under `default` those of every other one; None when limits are off.

    `on`, `off`, or overrides such as `customers.list=500/hour,default=100/min+1000/day`. A route's
    own rate stands beside those of everywhere; an override replaces both.
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
