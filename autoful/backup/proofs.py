"""What must be true of a shop that came back from a backup.

The apps say which of their commands prove it: `demand("check_stock")`.
"""

import io

from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader

_commands: list[str] = []


def demand(command: str) -> None:
    """Run this management command after each restore; a CommandError is its no."""
    if command not in _commands:
        _commands.append(command)


def applied_migrations() -> list[str]:
    """The migrations the database has, as "inventory.0001_initial"; none where there is no shop."""
    applied = MigrationLoader(connection, ignore_no_migrations=True).applied_migrations
    return sorted(".".join(migration) for migration in applied)


def known_migrations() -> set[str]:
    """The migrations this code has."""
    return {".".join(key) for key in MigrationLoader(None).disk_migrations or {}}


def dangling() -> list[str]:
    """The first reference that names a row which is not there."""
    try:
        connection.check_constraints()
    except Error as broken:
        return [str(broken.args[-1])]
    return []


def broken_rules() -> list[str]:
    """What the apps' commands found wrong, in their words."""
    found = []
    for command in _commands:
        words = io.StringIO()
        try:
            call_command(command, stdout=words)
        except CommandError as no:
            found += [*words.getvalue().splitlines(), str(no)]
    return found
