"""Wrong or unsafe set-ups, as Django system checks."""

import os
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.db import connections
from django.urls import get_resolver

from autoful import environment, limits
from autoful.accounts import guessing

OLDEST = {"MySQL": (8, 0, 16), "MariaDB": (10, 6)}


@register(Tags.database)
def database_is_fit(databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """The versions that enforce CHECK constraints, and the isolation the locks were made for."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        connection: Any = connections[alias]
        if connection.vendor != "mysql":
            continue
        kind = "MariaDB" if connection.mysql_is_mariadb else "MySQL"
        if connection.mysql_version < OLDEST[kind]:
            oldest = ".".join(map(str, OLDEST[kind]))
            found.append(Error(f"{kind} {oldest} or newer is needed.", id="autoful.E001"))
        with connection.cursor() as cursor:
            name = "tx_isolation" if connection.mysql_is_mariadb else "transaction_isolation"
            cursor.execute(f"SELECT @@{name}, @@character_set_database")
            isolation, characters = cursor.fetchone()
        if isolation != "READ-COMMITTED":
            found.append(
                Error(
                    f"The isolation is {isolation}, but the locks need READ-COMMITTED.",
                    id="autoful.E002",
                )
            )
        if characters != "utf8mb4":
            database = connection.settings_dict["NAME"]
            found.append(
                Error(
                    f"The database's characters are {characters}: a name in another script would be "
                    f"an error. Before the first migrate: ALTER DATABASE {database} CHARACTER SET "
                    "utf8mb4. With data in it, convert each table too.",
                    id="autoful.E003",
                )
            )
    return found


@register(Tags.security, deploy=True)
def production_is_reached_as_meant(**kwargs: Any) -> list[CheckMessage]:
    """Names and proxies that leave the shop out of reach, or let anybody speak for a proxy."""
    if not settings.PRODUCTION:
        return []
    proxies, hosts = settings.TRUSTED_PROXIES, set(settings.ALLOWED_HOSTS)
    wrong = {
        "autoful.W006": settings.AUTOFUL_HTTPS
        and not proxies
        and "TRUSTED_PROXIES is not set: every request looks like plain HTTP, and is redirected to "
        "HTTPS for ever.",
        "autoful.W007": any(network.prefixlen == 0 for network in proxies)
        and "TRUSTED_PROXIES is everybody: each caller may choose its own address.",
        "autoful.W008": "*" in hosts and "ALLOWED_HOSTS is *: name the shop's own.",
        "autoful.W009": hosts <= set(environment.LOOPBACK_HOSTS)
        and "ALLOWED_HOSTS has this machine's own names alone: add the shop's.",
    }
    return [CheckWarning(words, id=number) for number, words in wrong.items() if words]


@register(Tags.security, deploy=True)
def production_is_closed(**kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.PRODUCTION and settings.AUTOFUL_MECHANIC_SIGNUP == "open":
        found.append(
            CheckWarning(
                "AUTOFUL_MECHANIC_SIGNUP is open: whoever finds the address becomes a mechanic "
                "and sees the shop's data.",
                id="autoful.W001",
            )
        )
    if settings.PRODUCTION and not settings.REDIS_URL:
        found.append(
            CheckWarning(
                "REDIS_URL is not set: each process caches and counts calls for itself, so lists "
                "can be up to a minute old and limits are as many times wider.",
                id="autoful.W002",
            )
        )
    if settings.RATE_LIMITS is None:
        found.append(
            CheckWarning(
                "AUTOFUL_RATE_LIMITS is off: passwords can be guessed.",
                id="autoful.W003",
            )
        )
    return found


@register()
def limits_name_routes(**kwargs: Any) -> list[CheckMessage]:
    """A limit for a route that does not exist protects nothing."""
    named = set(settings.RATE_LIMITS or ()) - {"default", "admin.login", guessing.LIMIT}
    return [
        CheckWarning(f"AUTOFUL_RATE_LIMITS names {route}, which is no route.", id="autoful.W005")
        for route in sorted(named - set(limits.routes(get_resolver().url_patterns)))
    ]


@register()
def no_misspelt_variables(**kwargs: Any) -> list[CheckMessage]:
    unknown = {name for name in os.environ if name.startswith("AUTOFUL_")} - environment.KNOWN
    return [
        CheckWarning(
            f"{name} is not a variable Autoful knows. Is it misspelt?",
            id="autoful.W004",
        )
        for name in sorted(unknown)
    ]
