"""Which migrations may be applied while the shop is open: each refusal with its road, each leave."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, models
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState
from django.db.models import F, Q
from django.db.models.functions import Now

from autoful.deploying.fill import Fill
from autoful.deploying.rules import needs_closed_shop, objections

TABLE = "deploying_part"


def before() -> ProjectState:
    state = ProjectState()
    fields: list[tuple[str, Any]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("name", models.CharField(max_length=40)),
        ("note", models.CharField(max_length=200, null=True)),
        ("old", models.CharField(max_length=40, db_default="")),
        ("count", models.IntegerField()),
    ]
    state.add_model(ModelState("inventory", "Part", fields, {"db_table": TABLE}))
    return state


def migration(*inside: Any, name: str = "0002_more", **marks: Any) -> Migration:
    kind = type("Migration", (Migration,), {"operations": list(inside), **marks})
    return kind(name, "inventory")


def refusals(*inside: Any, **marks: Any) -> str:
    return "\n".join(objections(migration(*inside, **marks), before()))


def add(field: Any) -> Any:
    return operations.AddField("part", "shelf", field)


def alter(name: str, field: Any) -> Any:
    return operations.AlterField("part", name, field)


def separate(state: list[Any], database: list[Any]) -> Any:
    return operations.SeparateDatabaseAndState(state_operations=state, database_operations=database)


part = models.ForeignKey("inventory.Part", models.CASCADE)
unconstrained = models.ForeignKey(
    "inventory.Part", models.CASCADE, null=True, db_constraint=False, db_index=False
)

ALLOWED: dict[str, Any] = {
    "a column that may be empty": add(models.CharField(max_length=40, null=True)),
    "a column with a database default": add(models.IntegerField(db_default=0)),
    "a reference that the database does not hold": add(unconstrained),
    "a table": operations.CreateModel(
        "Shelf", [("id", models.BigAutoField(primary_key=True)), ("part", part)]
    ),
    "an index": operations.AddIndex("part", models.Index(fields=["name", "-id"], name="by_name")),
    "what only forms see": alter("name", models.CharField("title", max_length=40, blank=True)),
    "a default of Django's own": alter("count", models.IntegerField(default=5)),
    "a database default for a column there is": alter("count", models.IntegerField(db_default=5)),
    "a longer text": alter("name", models.CharField(max_length=63)),
    "a longer long text": alter("note", models.CharField(max_length=255, null=True)),
    "options": operations.AlterModelOptions("part", {"ordering": ["name"]}),
    "a fill": Fill("part", still=Q(note=None), to={"note": F("name")}),
    "forgetting a column that may be left out": separate(
        [operations.RemoveField("part", "note")], []
    ),
    "forgetting a column with a database default": separate(
        [operations.RemoveField("part", "old")], []
    ),
}

REFUSED: dict[str, tuple[Any, str]] = {
    "no default at all": (add(models.IntegerField()), "give it a db_default"),
    "Django's default": (add(models.IntegerField(default=0)), "give it a db_default"),
    "Django's empty text": (
        add(models.CharField(max_length=9, blank=True)),
        "give it a db_default",
    ),
    "NULL as a default": (add(models.IntegerField(db_default=None)), "give it a db_default"),
    "a default in two statements": (add(models.IntegerField(null=True, default=0)), "and fill"),
    "an expression as default": (add(models.DateTimeField(db_default=Now())), "a plain value"),
    "a unique column": (add(models.IntegerField(null=True, unique=True)), "a migration after it"),
    "a column that is never negative": (
        add(models.PositiveIntegerField(db_default=0)),
        "brings a CHECK",
    ),
    "an indexed column": (add(models.IntegerField(null=True, db_index=True)), "a migration after"),
    "a foreign key": (
        add(models.ForeignKey("inventory.Part", models.CASCADE, null=True, db_index=False)),
        "db_constraint=False",
    ),
    "a computed column": (
        add(
            models.GeneratedField(
                expression=F("count") + 1, output_field=models.IntegerField(), db_persist=True
            )
        ),
        "plain column and fill",
    ),
    "renaming a column": (operations.RenameField("part", "name", "title"), "write both"),
    "renaming it by db_column": (
        alter("name", models.CharField(max_length=40, db_column="title")),
        "write both",
    ),
    "renaming a table": (operations.RenameModel("Part", "Item"), "write both"),
    "moving a table": (operations.AlterModelTable("part", "items"), "write both"),
    "dropping a column": (operations.RemoveField("part", "old"), "out of the models alone"),
    "dropping a table": (operations.DeleteModel("Part"), "a later release"),
    "no more NULL": (alter("note", models.CharField(max_length=200)), "Fill them"),
    "NULL from now on": (alter("count", models.IntegerField(null=True)), "does not expect NULL"),
    "another type": (alter("count", models.BigIntegerField()), "writes the old type"),
    "a shorter text": (alter("name", models.CharField(max_length=39)), "writes longer ones"),
    "a text across the line": (alter("name", models.CharField(max_length=64)), "is copied"),
    "a text without end": (alter("name", models.CharField()), "writes longer ones"),
    "another collation": (
        alter("name", models.CharField(max_length=40, db_collation="utf8mb4_bin")),
        "db_collation: not known",
    ),
    "unique from now on": (alter("count", models.IntegerField(unique=True)), "in Meta"),
    "indexed from now on": (alter("count", models.IntegerField(db_index=True)), "in Meta"),
    "no database default any more": (
        alter("old", models.CharField(max_length=40)),
        "needs its default",
    ),
    "a unique constraint": (
        operations.AddConstraint("part", models.UniqueConstraint(fields=["name"], name="one")),
        "mend the rows",
    ),
    "a check": (
        operations.AddConstraint("part", models.CheckConstraint(condition=Q(count=1), name="c")),
        "mend the rows",
    ),
    "unique together": (operations.AlterUniqueTogether("part", {("name",)}), "UniqueConstraint"),
    "an index on an expression": (
        operations.AddIndex("part", models.Index(F("count") + 1, name="more")),
        "plain columns",
    ),
    "Python": (operations.RunPython(lambda apps, editor: None), "fill.Fill"),
    "SQL": (operations.RunSQL("UPDATE part SET count = 1"), "fill.Fill"),
    "forgetting a column that must be written": (
        separate([operations.RemoveField("part", "count")], []),
        "Give it a db_default",
    ),
    "saying one thing and doing another": (
        separate([], [operations.RunSQL("DROP TABLE part")]),
        "say why",
    ),
    "what nobody has judged": (operations.AlterModelTableComment("part", "…"), "not known"),
    "two at once": (
        (add(models.IntegerField(null=True)), alter("count", models.IntegerField(db_default=1))),
        "One to a file",
    ),
}


@pytest.mark.parametrize("operation", ALLOWED.values(), ids=ALLOWED)
def test_allowed(operation: Any) -> None:
    assert refusals(operation) == ""


@pytest.mark.parametrize(("operation", "road"), REFUSED.values(), ids=REFUSED)
def test_refused_with_the_road_to_take(operation: Any, road: str) -> None:
    assert road in refusals(*(operation if isinstance(operation, tuple) else (operation,)))


def test_the_first_migration_of_an_app_and_what_explains_itself_may() -> None:
    drop = operations.RemoveField("part", "old")
    assert refusals(drop, name="0001_initial") == ""
    assert refusals(drop, autoful_deploy="open: no version has named it since 1.4") == ""
    closing = migration(drop, autoful_deploy="closed: every amount gets another type")
    assert objections(closing, before()) == []
    assert needs_closed_shop(closing) == "every amount gets another type"


@pytest.mark.parametrize("marker", ["", "open:", "open: ", "yes", "shut: because", None, True])
def test_a_marker_without_a_reason_is_none(marker: Any) -> None:
    assert "and the reason" in refusals(autoful_deploy=marker)


def test_the_command_finds_them(monkeypatch: pytest.MonkeyPatch) -> None:
    call_command("check_migrations")

    load = MigrationLoader.load_disk

    def with_one_more(self: Any) -> None:
        load(self)
        bad = migration(operations.RenameField("part", "location", "bin"), name="0999_rename")
        leaf = max(name for app, name in self.disk_migrations if app == "inventory")
        bad.dependencies = [("inventory", leaf)]
        self.disk_migrations["inventory", "0999_rename"] = bad

    monkeypatch.setattr(MigrationLoader, "load_disk", with_one_more)
    with pytest.raises(CommandError, match=r"inventory\.0999_rename: Rename field location"):
        call_command("check_migrations")


# --- The databases' own word ----------------------------------------------------------------------


@pytest.fixture
def server(transactional_db: None) -> None:
    if connection.vendor != "mysql":
        pytest.skip("SQLite locks the whole file, and its shop is closed when it migrates")


def statements(operation: Any) -> list[str]:
    state = before()
    after = state.clone()
    operation.state_forwards("inventory", after)
    with connection.schema_editor(collect_sql=True) as editor:
        operation.database_forwards("inventory", editor, state, after)
    return [line.rstrip(";") for line in editor.collected_sql if TABLE in line]


ON_THE_TABLE = [name for name in ALLOWED if name not in {"a table", "a fill"}]


def refused_by_the_server(operation: Any) -> str:
    """What it says when the same is asked with LOCK=NONE, which lets nobody wait."""
    with connection.schema_editor() as editor:
        editor.create_model(before().apps.get_model("inventory", "part"))
    with connection.cursor() as cursor:
        try:
            for statement in statements(operation):
                comma = "" if statement.startswith("CREATE INDEX") else ","
                cursor.execute(f"{statement}{comma} LOCK=NONE")
        except DatabaseError as refused:
            return str(refused)
        finally:
            cursor.execute(f"DROP TABLE {TABLE}")
    return ""


def test_what_is_allowed_stops_nobody(server: None) -> None:
    assert {name: refused_by_the_server(ALLOWED[name]) for name in ON_THE_TABLE} == dict.fromkeys(
        ON_THE_TABLE, ""
    )


def test_some_of_what_is_refused_would(server: None) -> None:
    """The control: what copies the table cannot be had with LOCK=NONE."""
    for name in ("another type", "a check", "a text across the line"):
        assert "LOCK=NONE is not supported" in refused_by_the_server(REFUSED[name][0]), name
