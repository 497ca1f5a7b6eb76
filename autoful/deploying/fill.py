"""Filling a column, or a kept total, while the shop is open."""

import time
from typing import Any

from django.db import models, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from autoful.tally import SLOTS

BATCH = 500  # rows; a statement locks no more, and for milliseconds


class Fill(Operation):
    """Set columns of all rows, or of those that are `still` unfilled, in small batches.

        Fill("part", to={"shelf": F("location")})

    Each batch is one statement, committed at once, that reads what it copies and asks `still` as it
    writes: what a request has written meanwhile stays. Interrupted, it can be run again.
    It passes by the audit trail: it moves what the shop knows, it does not change it.
    """

    reversible = True
    reduces_to_sql = False

    def __init__(
        self, model_name: str, *, to: dict[str, Any], still: models.Q | None = None
    ) -> None:
        self.model_name = model_name
        self.to = to
        self.still = still

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        pass

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        alias = schema_editor.connection.alias
        if not self.allow_migrate_model(alias, model):
            return
        rows = model._base_manager.using(alias).filter(self.still or models.Q()).order_by("pk")
        batch = list(rows.values_list("pk", flat=True)[:BATCH])
        while batch:
            began = time.monotonic()
            rows.filter(pk__in=batch).order_by().update(**self.to)
            # As long a pause as it took: half the time belongs to the shop.
            time.sleep(time.monotonic() - began)
            batch = list(rows.filter(pk__gt=batch[-1]).values_list("pk", flat=True)[:BATCH])

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Nothing: the other column still has it."""

    def describe(self) -> str:
        return f"Fill {', '.join(self.to)} of {self.model_name} in batches"


class BeginTally(Operation):
    """Count the rows of a model, or those `where`, into the slots of a kept total.

        BeginTally("customers", "customer", where=Q(deleted_at=None))

    The version that keeps it is not running yet, and what the running one writes after this is not
    in it: `manage.py recount` counts again when the last old worker is gone. Can be run again.
    """

    reversible = True
    reduces_to_sql = False

    def __init__(self, name: str, model_name: str, *, where: models.Q | None = None) -> None:
        self.name = name
        self.model_name = model_name
        self.where = where

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        pass

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        alias = schema_editor.connection.alias
        if not self.allow_migrate_model(alias, model):
            return
        slots = to_state.apps.get_model("autoful", "Tally")._base_manager.using(alias)
        rows = model._base_manager.using(alias).filter(self.where or models.Q())
        with transaction.atomic(using=alias):
            slots.filter(name=self.name).delete()
            slots.bulk_create(
                slots.model(name=self.name, slot=slot, total=0 if slot else rows.count())
                for slot in range(SLOTS)
            )

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Nothing: the table goes with its own migration."""

    def describe(self) -> str:
        return f"Count {self.name}"
