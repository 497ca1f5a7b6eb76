"""The groups of a shop, and what the people in them may do in the back office."""

from typing import Any

from django.db import migrations

# By app: the model's verbs, and the permissions of its own. What is not named is not allowed.
ALL = "view add change delete"
Rights = dict[str, str]

OWNER: Rights = {
    "customers.customer": ALL,
    "customers.vehicle": ALL,
    "mechanics.mechanic": f"{ALL} view_salary",
    "inventory.part": f"{ALL} view_cost",
    "inventory.stockmovement": "view",
    # Their own, too: who may decide about an account may do all that it may.
    "tickets.serviceticket": f"{ALL} view_own_work",
    "tickets.assignment": ALL,
    "tickets.partline": ALL,
    "tickets.statuschange": "view",
    "accounts.user": "view add change",
    "auth.group": "view",
    "auditlog.logentry": "view",
}
GROUPS: dict[str, Rights] = {
    "Owner": OWNER,
    "Service advisor": {
        "customers.customer": "view add change",
        "customers.vehicle": "view add change",
        "mechanics.mechanic": "view",
        "inventory.part": "view",
        "tickets.serviceticket": "view add change",
        "tickets.assignment": ALL,
        "tickets.partline": ALL,
        "tickets.statuschange": "view",
    },
    "Parts clerk": {
        "inventory.part": f"{ALL} view_cost",
        "inventory.stockmovement": "view",
        # Not the tickets: through the API their view has the customers' phones and e-mails.
        "tickets.partline": "view",
    },
    "Mechanic": {
        "inventory.part": "view",
        "tickets.serviceticket": "view_own_work",
    },
    "Auditor": {
        model: " ".join(right for right in rights.split() if right.startswith("view"))
        for model, rights in OWNER.items()
    },
}
# What was seen with the first was seen with the second until now.
NEW_RIGHTS = [
    ("inventory.part", "view", "view_cost"),
    ("mechanics.mechanic", "view", "view_salary"),
]


def make_groups(apps: Any, schema_editor: Any) -> None:
    """Also called when the permissions of a new shop are not there yet: Django makes them after the
    last migration."""
    group_model = apps.get_model("auth", "Group")
    for model, before, new in NEW_RIGHTS:
        given, is_new = permission(apps, model, new)
        # Once, or the groups below would be given it, too.
        if is_new or not (given.group_set.exists() or given.user_set.exists()):
            _hand_on(permission(apps, model, before)[0], given)
    for name, rights in GROUPS.items():
        group, is_new = group_model.objects.get_or_create(name=name)
        if is_new:  # one that the shop made under this name stays as the shop made it
            for model, all_of_them in rights.items():
                for right in all_of_them.split():
                    group.permissions.add(permission(apps, model, right)[0])


def _hand_on(before: Any, new: Any) -> None:
    for group in before.group_set.all():
        group.permissions.add(new)
    for user in before.user_set.all():
        user.user_permissions.add(new)


def permission(apps: Any, model: str, right: str) -> tuple[Any, bool]:
    """The permission, and whether it was made now."""
    label, name = model.split(".")
    kind, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label=label, model=name
    )
    found = apps.get_model(label, name)._meta
    titles = dict(found.permissions)
    codename = right if right in titles else f"{right}_{name}"
    title = titles.get(right, f"Can {right} {found.verbose_name_raw}")
    made: tuple[Any, bool] = apps.get_model("auth", "Permission").objects.get_or_create(
        content_type=kind, codename=codename, defaults={"name": title}
    )
    return made


class Migration(migrations.Migration):
    autoful_deploy = "open: a handful of rows in Django's own tables, which nothing writes meanwhile"

    dependencies = [
        ("tickets", "0004_view_own_work"),
        ("customers", "0006_begin_tally"),
        ("mechanics", "0006_view_salary"),
        ("inventory", "0003_view_cost"),
        ("accounts", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("auditlog", "0001_initial"),
    ]

    operations = [migrations.RunPython(make_groups, migrations.RunPython.noop)]
