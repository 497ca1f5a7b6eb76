"""Service advisors may remove a vehicle that has no tickets; the verb refuses any other."""

from importlib import import_module
from typing import Any

from django.db import migrations

WHO, MODEL = "Service advisor", "customers.vehicle"


def give_right(apps: Any, schema_editor: Any) -> None:
    """To the group as it was made; one that the shop has made its own stays so."""
    made = import_module("tickets.migrations.0005_groups")
    rights = {
        made.permission(apps, model, right)[0].pk
        for model, all_of_them in made.GROUPS[WHO].items()
        for right in all_of_them.split()
    }
    for group in apps.get_model("auth", "Group").objects.filter(name=WHO):
        if set(group.permissions.values_list("pk", flat=True)) == rights:
            group.permissions.add(made.permission(apps, MODEL, "delete")[0])


class Migration(migrations.Migration):
    autoful_deploy = "open: one row in Django's own tables, which nothing writes meanwhile"

    dependencies = [
        ("tickets", "0009_when_a_part_was_used"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(give_right, migrations.RunPython.noop)]
