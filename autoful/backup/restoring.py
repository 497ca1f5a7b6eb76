"""Bringing a shop back from a backup: all of it or nothing, as far as the database lets us.

SQLite: the file is made and proved beside the shop, and takes its place in one step. MySQL and
MariaDB: loading is many commits, so the shop is marked unfinished before and opened after; what
breaks midway leaves a shop that no server opens, and the same command begins anew.
"""

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import Error, connection

from autoful import audit
from autoful.accounts.models import User
from autoful.backup import archive, making, mysql, proofs, signing_out, sqlite, unfinished
from autoful.backup.archive import Manifest
from autoful.backup.errors import Refused, of_the_system
from autoful.backup.making import MEGABYTE, Progress
from autoful.serving import CannotStart, alone

# Rows that a shop has before anybody uses it.
BOOKKEEPING = {"django_migrations", "django_content_type", "auth_permission", "django_session"}
BOOKKEEPING |= {"autoful_tally", "auth_group", "auth_group_permissions"}


@dataclass
class Restored:
    """What came back, and what the owner should know about it."""

    manifest: Manifest | None  # none when only `finish` was asked for: the file is not at hand
    kept: Path | None = None  # the shop that was there before
    older: bool = False  # than the code: it has to be migrated
    wrong: list[str] = field(default_factory=list)


def target() -> str:
    """Which shop is restored: the file, or the server and its database. Never the password."""
    if connection.vendor == "sqlite":
        return str(connection.settings_dict["NAME"])
    where = connection.get_connection_params()
    server = (
        where.get("unix_socket") or f"{where.get('host', 'localhost')}:{where.get('port', 3306)}"
    )
    return f"{server}/{where['database']}"


def check_file(path: Path, progress: Progress) -> Manifest:
    """Read all of the file; raises Refused unless it is whole and can be restored here."""
    manifest = archive.read_manifest(path)
    here = "sqlite" if connection.vendor == "sqlite" else mysql.kind()
    if manifest.database != here:
        names = {"sqlite": "SQLite", "mariadb": "MariaDB", "mysql": "MySQL"}
        raise Refused(
            f"{path} is of {names[manifest.database]} and the shop is on {names[here]}: a backup "
            "goes back to the kind of database it came from."
        )
    if newer := sorted(set(manifest.migrations) - proofs.known_migrations()):
        raise Refused(
            f"{path} was made by a newer Autoful ({manifest.autoful}): this one does not know "
            f"{newer[0]}. Install that version first."
        )
    archive.unpack(path, manifest, lambda _: None, _megabytes(progress))
    return manifest


def shop_is_empty() -> bool:
    """Whether nothing would be lost: no tables, no rows, or only the half of a broken restore.

    A log may have been played into a shop that is kept closed for it.
    """
    database = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite" and not Path(database).exists():
        return True
    try:
        if unfinished.is_marked() and not unfinished.awaits_log():
            return True
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                if table not in BOOKKEEPING:
                    cursor.execute(f"SELECT 1 FROM {connection.ops.quote_name(table)} LIMIT 1")  # noqa: S608
                    if cursor.fetchone():
                        return False
    except Error:
        if connection.vendor != "sqlite":
            raise
        return False  # a file that cannot be read may still hold what somebody wants back
    finally:
        connection.close()
    return True


def restore(path: Path, manifest: Manifest, progress: Progress, *, finish: bool = True) -> Restored:
    """Put the checked file in the place of what is in the shop, which is kept.

    Without `finish` (MySQL, MariaDB) the shop stays closed, with the sign-ins as they were, for
    the binary log to be played; then `finish`.
    """
    try:
        if connection.vendor == "sqlite":
            return _into_a_file(path, manifest, progress)
        return _into_a_server(path, manifest, progress, finish=finish)
    except OSError as error:
        raise of_the_system(f"{target()} cannot be replaced", error) from error


def _into_a_file(path: Path, manifest: Manifest, progress: Progress) -> Restored:
    database = Path(connection.settings_dict["NAME"])
    database.parent.mkdir(parents=True, exist_ok=True)
    try:
        with (
            alone(Path(settings.AUTOFUL_DATA)),
            archive.partial(database.parent, ".sqlite3") as staged,
        ):
            with staged.open("wb") as file:
                archive.unpack(path, manifest, file.write, _megabytes(progress))
            if wrong := sqlite.faults(staged):
                raise Refused(f"{path} holds a damaged database: {wrong[0]}.")
            _demand_no_programs(sqlite.programs(staged))
            with sqlite.looking_at(staged):
                restored = _prove(manifest, sqlite.rows(staged))
                _finish(restored)
            kept = making.new_path(database.parent, "-before-restore.sqlite3")
            connection.close()
            if sqlite.put_in_place(staged, database, kept):
                restored.kept = kept
            return restored
    except CannotStart as running:
        raise Refused(str(running)) from running
    except sqlite3.DatabaseError as broken:
        raise Refused(f"{database} cannot be replaced: {broken}.") from broken


def _into_a_server(path: Path, manifest: Manifest, progress: Progress, *, finish: bool) -> Restored:
    _demand_nobody()
    half = unfinished.is_marked()
    if not half and (odd := mysql.programs()):
        raise Refused(
            f"In {target()} is {_named(odd[0])}, and no backup brings it back: keep its text, "
            "drop it, then run the command again."
        )
    kept = None
    # What is kept closed for the log is a backup and a log, and both are still there.
    if not half and not shop_is_empty():
        kept = making.new_path(making.own_folder(), "-before-restore.zip")
        making.make(kept)
    # Whoever connects from now on finds the mark; who was quicker is seen here.
    try:
        unfinished.mark()
        _demand_nobody()
    except (Refused, KeyboardInterrupt):
        if not half:
            unfinished.clear()
        raise
    try:
        mysql.empty()
        mysql.load(lambda take: archive.unpack(path, manifest, take, _megabytes(progress)))
        _demand_no_programs(mysql.programs())
        found = {name: n for name, n in mysql.rows().items() if name != unfinished.TABLE}
        restored = _prove(manifest, found)
        restored.kept = kept
        if finish:
            _finish(restored)
            unfinished.clear()
        else:
            unfinished.keep_for_log()
    except (Refused, Error, KeyboardInterrupt) as broken:
        raise Refused(
            f"{_sentence(broken)} The restore is not finished and {target()} stays closed until it "
            f"is: run the same command again{f', or restore {kept}, the shop as it was' if kept else ''}."
        ) from broken
    return restored


def finish() -> Restored:
    """Open the shop that a restore without `finish` left closed."""
    if not unfinished.is_marked():
        raise Refused(f"There is no restore to finish in {target()}.")
    if not unfinished.awaits_log():
        raise Refused(f"The restore to {target()} broke midway: run it again, with its file.")
    if wrong := proofs.dangling():
        raise Refused(f"{target()} stays closed: {wrong[0]}")
    migrations = proofs.applied_migrations()
    restored = Restored(None, older=bool(proofs.known_migrations() - set(migrations)))
    _finish(restored)
    unfinished.clear()
    return restored


def _demand_nobody() -> None:
    """Raise Refused while anybody is connected whom our account may see; see `mysql.others`."""
    # The server needs a moment to see that a program of ours has gone.
    for _ in range(10):
        if not (others := mysql.others()):
            return
        time.sleep(0.1)
    if others:
        raise Refused(
            f"{target()} is in use ({', '.join(others[:3])}). Stop every server of this shop "
            "and whatever else is connected to it, then run the command again."
        )


def _demand_no_programs(programs: list[tuple[str, str]]) -> None:
    """A shop has none. One that came in a file could make an administrator at our own first write."""
    if programs:
        raise Refused(f"The backup holds {_named(programs[0])}, which is none of Autoful's.")


def _named(program: tuple[str, str]) -> str:
    return "the {} {}".format(*program)


def _prove(manifest: Manifest, rows: dict[str, int]) -> Restored:
    """What came back is what went in, table by table, and no reference names nothing."""
    if rows != manifest.rows:
        odd = sorted(
            name for name in {*rows, *manifest.rows} if rows.get(name) != manifest.rows.get(name)
        )
        raise Refused(
            f"{odd[0]} has {rows.get(odd[0])} rows and was backed up with {manifest.rows.get(odd[0])}."
        )
    if wrong := proofs.dangling():
        raise Refused(wrong[0])
    older = bool(proofs.known_migrations() - set(manifest.migrations))
    return Restored(manifest, older=older)


def _finish(restored: Restored) -> None:
    """End the old sign-ins, say so in the audit trail, and prove the shop's own rules.

    A shop older than the code has other columns than the code asks for: it is proved once it is
    migrated, and until then no server starts on it.
    """
    signing_out.end_all()
    if not restored.older:
        made = {"backup_made_at": restored.manifest.made_at} if restored.manifest else {}
        audit.record_event(User(), "restored", **made)
        restored.wrong = proofs.broken_rules()


def _sentence(error: BaseException) -> str:
    said = str(error.args[-1] if error.args else error) or "Interrupted"
    return said if said.endswith(".") else f"{said}."


def _megabytes(progress: Progress) -> Callable[[int, int], None]:
    return lambda done, total: progress(done // MEGABYTE, max(total // MEGABYTE, 1), "MB")
