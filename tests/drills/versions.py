"""Versions of Autoful to come: copies of the source tree, changed; several stand on one shop.

The column `location` of a part is renamed to `shelf`, as CONTRIBUTING says it: four releases, of
which each stands beside the one before it. What clients see stays `location`.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from autoful.testing.processes import Program, free_port, running
from autoful.testing.shops import ROOT, Shop
from autoful.tests.programs import python

SOURCES = ("autoful", "customers", "mechanics", "inventory", "tickets", "embedded", "templates")

Patch = tuple[str, str, str]
"""A file, what stands there once, and what shall."""

MODEL = "inventory/models.py"
VERB = "inventory/parts.py"
SHAPE = "inventory/serializers.py"

OLD_COLUMN = (
    '    location = models.CharField(max_length=40, blank=True, help_text="Shelf or bin.")\n'
)
NEW_COLUMN = "    shelf = models.CharField(max_length=40, null=True, editable=False)\n"

WRITE_BOTH: Patch = (
    VERB,
    "    try:\n        with transaction.atomic():\n            part.save(",
    '    if "location" in changed or part._state.adding:\n'
    "        part.shelf = part.location\n"
    '        changed.append("shelf")\n'
    "    try:\n        with transaction.atomic():\n            part.save(",
)
WRITE_NEW: list[Patch] = [
    (
        VERB,
        "    changed = [name for name in FIELDS if name in fields]\n",
        '    fields = {"shelf" if name == "location" else name: fields[name] for name in fields}\n'
        "    changed = [name for name in FIELDS if name in fields]\n",
    ),
    (VERB, '    "location",\n', '    "shelf",\n'),
    ("inventory/admin.py", '"reorder_point", "location"),\n', '"reorder_point", "shelf"),\n'),
    ("inventory/admin.py", '"category", "location")', '"category", "shelf")'),
    (
        "inventory/admin.py",
        '{"fields": ("quantity_in_stock", "reorder_point", "location")}',
        '{"fields": ("quantity_in_stock", "reorder_point")}',
    ),
]
READ_NEW: Patch = (
    SHAPE,
    "class ShelvedPartSerializer(PublicPartSerializer):\n",
    "class ShelvedPartSerializer(PublicPartSerializer):\n"
    '    location = serializers.CharField(source="shelf")\n\n',
)

MIGRATION = """
from django.db import migrations, models
from django.db.models import F
from autoful.deploying.fill import Fill

class Migration(migrations.Migration):
    dependencies = [("inventory", "{before}")]
    {marker}
    operations = [{operation}]
"""

ADD = 'migrations.AddField("part", "shelf", models.CharField(max_length=40, null=True, editable=False))'
FILL = 'Fill("part", to={"shelf": F("location")})'
MAY_BE_LEFT_OUT = (
    'migrations.AlterField("part", "location", '
    'models.CharField(max_length=40, blank=True, db_default=""))'
)
FORGET = (
    "migrations.SeparateDatabaseAndState("
    'state_operations=[migrations.RemoveField("part", "location")])'
)
DROP = (
    "migrations.SeparateDatabaseAndState(database_operations=["
    'migrations.RunSQL("ALTER TABLE inventory_part DROP COLUMN location")])'
)
RENAME = 'migrations.RenameField("part", "location", "shelf")'


class Version:
    """A source tree of its own, with its migrations."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def of_now(cls, folder: Path) -> "Version":
        """The code as it is."""
        for source in SOURCES:
            ignored = shutil.ignore_patterns("__pycache__", "tests")
            shutil.copytree(ROOT / source, folder / source, ignore=ignored)
        shutil.copy(ROOT / "manage.py", folder)
        return cls(folder)

    def next(
        self, name: str, *patches: Patch, migrations: dict[str, str], **marks: str
    ) -> "Version":
        """This one, changed; `migrations` by name, each after the one before; `marks` explain."""
        folder = self.folder.with_name(name)
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("__pycache__"))
        for path, old, new in patches:
            text = (folder / path).read_text()
            assert text.count(old) == 1, f"{path} does not have once: {old}"
            (folder / path).write_text(text.replace(old, new))
        home = folder / "inventory" / "migrations"
        for migration, operation in migrations.items():
            before = max(path.stem for path in home.glob("0*.py"))
            marker = f"autoful_deploy = {marks[migration]!r}" if migration in marks else ""
            text = MIGRATION.format(before=before, operation=operation, marker=marker)
            number = int(before.partition("_")[0]) + 1
            (home / f"{number:04}_{migration}.py").write_text(text)
        return Version(folder)

    @contextmanager
    def managing(self, shop: Shop, *arguments: str) -> Iterator[Program]:
        """One of its commands, under way; waited for at the end, and it has to succeed."""
        log = self.folder / f"{arguments[0]}.log"
        command = python(shop.environment, "manage.py", *arguments, log=log, cwd=self.folder)
        with running(command):
            try:
                yield command
            finally:
                code = command.wait(120)
        assert code == 0, command.said()

    def manage(self, shop: Shop, *arguments: str) -> str:
        """Run one of its commands, which has to succeed; what it said."""
        with self.managing(shop, *arguments) as command:
            pass
        return command.said()

    @contextmanager
    def serve(self, shop: Shop) -> Iterator[str]:
        """Its server on that shop; yields the URL, once it answers."""
        with self.serving(shop, workers=1, by_itself=True) as (url, _):
            yield url

    @contextmanager
    def serving(
        self, shop: Shop, *, workers: int, by_itself: bool = False
    ) -> Iterator[tuple[str, Program]]:
        """The same as a process to send signals to; by `manage.py serve` or by granian itself."""
        port = free_port()
        command = ["manage.py", "serve"]
        if by_itself:
            command = ["-m", "granian", "--interface", "wsgi", "--port", str(port)]
            command += ["--workers", str(workers), "--blocking-threads", "8"]
            command += ["autoful.wsgi:application"]
        environment = shop.environment | {"AUTOFUL_RATE_LIMITS": "off"}
        environment |= {"PORT": str(port), "WEB_WORKERS": str(workers)}
        url = f"http://127.0.0.1:{port}"
        server = python(environment, *command, log=self.folder / "log", cwd=self.folder)
        # Granian by itself, told to stop soon after a reload, may wait for ever.
        with running(server, patience=30):
            server.says(f"Started worker-{workers}")
            assert requests.get(f"{url}/health/ready", timeout=30).status_code == 200
            yield url, server


def releases(folder: Path) -> list[Version]:
    """The code of today, and the four releases of the rename."""
    today = Version.of_now(folder / "today")
    adds = today.next(
        "adds",
        (MODEL, OLD_COLUMN, OLD_COLUMN + NEW_COLUMN),
        WRITE_BOTH,
        migrations={"shelf": ADD},
    )
    switches = adds.next("switches", READ_NEW, migrations={"fill_shelf": FILL})
    forgets = switches.next(
        "forgets",
        (MODEL, OLD_COLUMN, ""),
        (MODEL, "null=True, editable=False", "null=True, blank=True"),
        (VERB, WRITE_BOTH[2], WRITE_BOTH[1]),
        *WRITE_NEW,
        migrations={"location_may_be_left_out": MAY_BE_LEFT_OUT, "forget": FORGET},
    )
    drops = forgets.next(
        "drops",
        migrations={"drop_location": DROP},
        drop_location="open: no version since the one before names it",
    )
    return [today, adds, switches, forgets, drops]
