"""Which migrations may be applied while the shop is open, the running version beside the next one.

Everything is refused that is not known to be safe for both: the running version writes and reads
the columns it knows, by name, all of them, and must not wait for a table that is being copied.
A migration that knows better says so itself, with its reason, for all to find:

    autoful_deploy = "open: no running version has named this column since 1.4"
    autoful_deploy = "closed: every amount gets another type"

A closed one is applied by `manage.py migrate --closed` alone.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from django.db import models
from django.db.migrations import Migration, operations
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from autoful.deploying.fill import BeginTally, Fill

MARKER = re.compile(r"(open|closed): (.*\S.*)")

# MySQL keeps the length of a text in one byte up to 255 bytes and in two beyond, four bytes to a
# character: across that line a column is not widened but the whole table copied.
LONGEST_SHORT_TEXT = 255 // 4

EXPAND_AND_CONTRACT = (
    "Take four releases: add the new one and write both; fill it and read it, still writing both; "
    "forget the old one in the models alone; drop it."
)
ROADS: dict[type[Operation], str] = {
    operations.RenameField: f"The running version asks for the old name. {EXPAND_AND_CONTRACT}",
    operations.RenameModel: f"The running version asks for the old table. {EXPAND_AND_CONTRACT}",
    operations.AlterModelTable: f"The running version asks for the old table. {EXPAND_AND_CONTRACT}",
    operations.RemoveField: "The running version still names this column in every SELECT and "
    "INSERT. First take it out of the models alone, with SeparateDatabaseAndState(state_operations="
    "[…]); drop it in a later release, and say which was the last to name it.",
    operations.DeleteModel: "The running version may still use this table. Drop it in a later "
    "release than the one that stopped using it, and say which that was.",
    operations.AddConstraint: "What the running version writes may not keep it, and the table is "
    "copied, or refused at the first row that breaks it. Keep the rule in the verb first, mend the "
    "rows, and say so.",
    operations.AlterUniqueTogether: "Use UniqueConstraint; and see what it says of AddConstraint.",
    operations.RemoveConstraint: "The running version may rely on it. Remove it in a later release "
    "than the one that stopped, and say which that was.",
    operations.RemoveIndex: "The lists of the running version may need it. Remove it in a later "
    "release than the one that stopped using it, and say which that was.",
    operations.RunPython: "Nobody knows how many rows it locks, and for how long. Use "
    "autoful.deploying.fill.Fill.",
    operations.RunSQL: "Nobody knows what it does to the running version. Use an operation that is "
    "known, or autoful.deploying.fill.Fill.",
}


def needs_closed_shop(migration: Migration) -> str:
    """Why it can only be applied with the shop closed; empty when it need not be."""
    found = MARKER.fullmatch(str(getattr(migration, "autoful_deploy", "")))
    return found[2] if found and found[1] == "closed" else ""


def objections(migration: Migration, before: ProjectState) -> list[str]:
    """Why this migration may not be applied while the shop is open; `before` is not changed."""
    if hasattr(migration, "autoful_deploy"):
        if MARKER.fullmatch(str(migration.autoful_deploy)):
            return []
        return ['autoful_deploy must be "open: " or "closed: " and the reason.']
    if migration.name.startswith("0001_"):
        return []
    found: list[str] = []
    state = before.clone()
    touching = 0
    for operation in migration.operations:
        after = state.clone()
        operation.state_forwards(migration.app_label, after)
        judged = _Judged(operation, migration.app_label, state, after)
        touching += judged.touches_database
        found += [f"{operation.describe()}: {objection}" for objection in judged.objections()]
        state = after
    if touching > 1:
        found.append(
            f"{touching} of its operations touch the database, and one that stops in between can "
            "be neither repeated nor undone: MySQL takes no ALTER back. One to a file."
        )
    return found


class _Judged:
    """An operation, with the models before and after it."""

    def __init__(self, operation: Any, app: str, before: ProjectState, after: ProjectState) -> None:
        self.operation, self.app, self.before, self.after = operation, app, before, after

    @property
    def touches_database(self) -> bool:
        operation = self.operation
        if isinstance(operation, operations.SeparateDatabaseAndState):
            return bool(operation.database_operations)
        if isinstance(operation, operations.AlterField):
            return bool(_differences(*self._fields()))
        return not isinstance(
            operation, operations.AlterModelOptions | operations.AlterModelManagers
        )

    def objections(self) -> Iterator[str]:
        kind = type(self.operation)
        judge = JUDGES.get(kind)
        if judge is not None:
            yield from judge(self)
        else:
            yield ROADS.get(
                kind,
                f"{kind.__name__} is not known to be safe. Say why it is, in autoful_deploy, or "
                "teach autoful/deploying/rules.py.",
            )

    def fine(self) -> Iterator[str]:
        yield from ()

    def adds_field(self) -> Iterator[str]:
        field = self.operation.field
        if isinstance(field, models.ManyToManyField):
            return  # a table of its own
        if isinstance(field, models.GeneratedField):
            yield "The table is copied. Add a plain column and fill it."
            return
        if isinstance(field, models.ForeignKey) and self.operation.field.db_constraint:
            yield (
                "A foreign key's constraint copies the table, and nobody writes meanwhile. Add it "
                "with db_constraint=False and without an index, the index in a migration after it."
            )
        if isinstance(field, models.fields.PositiveIntegerRelDbTypeMixin):
            yield (
                "It brings a CHECK, for which MySQL copies the table. Use the field without Positive "
                "and keep the rule in the verb."
            )
        if field.unique or field.db_index:
            yield "The column first, its index or constraint in a migration after it."
        if _has_default(field) and isinstance(field.db_default, models.Expression):
            if not isinstance(field.db_default, models.Value):
                yield "An expression as db_default copies the table; a plain value does not."
        elif not field.null and not _has_default(field):
            yield (
                "The running version does not name this column when it writes a row, and Django "
                "keeps a default of its own out of the database. Make it null=True or give it a "
                "db_default."
            )
        elif field.has_default() and not _has_default(field):
            yield (
                "Django adds the default and takes it away again, in two statements. Leave it out "
                "and fill, or use db_default."
            )

    def alters_field(self) -> Iterator[str]:
        old, new = self._fields()
        changed = _differences(old, new)
        if "column" in changed:
            yield ROADS[operations.RenameField]
        if "kind" in changed:
            yield f"The running version writes the old type. {EXPAND_AND_CONTRACT}"
        if "null" in changed and old.null:
            yield (
                "The running version may still write NULL, and rows may have it. Fill them after a "
                "release whose every write sets it, and say so in the next one's."
            )
        if "null" in changed and new.null:
            yield "The running version does not expect NULL. Say how it bears it."
        if changed & {"unique", "db_index"}:
            yield "Use UniqueConstraint or Index in Meta, so that it is an operation of its own."
        if "max_length" in changed:
            yield from _widens(old.max_length, new.max_length)
        if "db_default" in changed and not _has_default(new):
            yield "The version that leaves the column out needs its default."
        if unknown := changed - JUDGED:
            yield f"{', '.join(sorted(unknown))}: not known to be safe; say why it is."

    def adds_index(self) -> Iterator[str]:
        if type(self.operation.index) is not models.Index or self.operation.index.expressions:
            yield "An index on anything but plain columns is not known to be built in place."

    def is_separate(self) -> Iterator[str]:
        operation = self.operation
        state = self.before
        for inner in (*operation.state_operations, *operation.database_operations):
            after = state.clone()
            inner.state_forwards(self.app, after)
            if operation.database_operations or not isinstance(inner, operations.RemoveField):
                yield "What the models say and what the database does differ; say why."
                return
            field = _field(state, self.app, inner.model_name, inner.name)
            if not (field.null or _has_default(field)):
                yield (
                    f"The next version writes no {inner.name}, and the database has nothing to put "
                    "there. Give it a db_default in a migration before this one."
                )
            state = after

    def _fields(self) -> tuple[Any, Any]:
        where = (self.app, self.operation.model_name, self.operation.name)
        return _field(self.before, *where), _field(self.after, *where)


JUDGES: dict[type[Operation], Callable[[_Judged], Iterator[str]]] = {
    Fill: _Judged.fine,
    BeginTally: _Judged.fine,
    operations.CreateModel: _Judged.fine,
    operations.AlterModelOptions: _Judged.fine,
    operations.AlterModelManagers: _Judged.fine,
    operations.AddField: _Judged.adds_field,
    operations.AlterField: _Judged.alters_field,
    operations.AddIndex: _Judged.adds_index,
    operations.SeparateDatabaseAndState: _Judged.is_separate,
}


# What of a changed field `alters_field` has a word on.
JUDGED = {"column", "kind", "null", "unique", "db_index", "max_length", "db_default"}


def _widens(old: int | None, new: int | None) -> Iterator[str]:
    if old is None or new is None or new < old:
        yield f"The running version writes longer ones. {EXPAND_AND_CONTRACT}"
    elif old <= LONGEST_SHORT_TEXT < new:
        yield (
            f"From {LONGEST_SHORT_TEXT} characters or fewer to more, the table is copied, and "
            f"nobody writes meanwhile. {EXPAND_AND_CONTRACT}"
        )


def _field(state: ProjectState, app: str, model: str, name: str) -> Any:
    return state.models[app, model.lower()].get_field(name)


def _has_default(field: Any) -> bool:
    return field.db_default is not models.NOT_PROVIDED and field.db_default is not None


def _differences(old: Any, new: Any) -> set[str]:
    """What of a field is different in the database, by the names of its arguments."""
    _, old_kind, old_arguments, old_named = old.deconstruct()
    _, new_kind, new_arguments, new_named = new.deconstruct()
    # db_column is the name alone, and a `default` never reaches the database.
    ignored = {*old.non_db_attrs, *new.non_db_attrs, "default", "auto_now", "auto_now_add"}
    changed = {
        name
        for name in (old_named.keys() | new_named.keys()) - ignored
        if old_named.get(name) != new_named.get(name)
    }
    if (old.db_column or "") != (new.db_column or ""):
        changed.add("column")
    if old_kind != new_kind or old_arguments != new_arguments:
        changed.add("kind")
    return changed
