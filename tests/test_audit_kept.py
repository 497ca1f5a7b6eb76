"""An entry is written once: the application has no way to alter or remove one."""

from collections.abc import Callable
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.apps import apps
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core import serializers
from django.core.management import CommandError, call_command, execute_from_command_line
from django.db import connection, transaction
from django.urls import URLPattern, get_resolver, reverse

from autoful import audit
from autoful.accounts.models import User
from autoful.accounts.tests.factories import UserFactory
from autoful.actor import COMMAND
from autoful.testing.pages import Desk
from autoful.testing.personas import Persona
from customers.registration import close_customer
from inventory.models import Part
from inventory.parts import change_part
from inventory.tests.factories import PartFactory

pytestmark = pytest.mark.django_db


def trail() -> list[dict[str, Any]]:
    return list(LogEntry.objects.order_by("pk").values())


def again(entry: LogEntry) -> LogEntry:
    """Another one that says something else and has its number."""
    values = {f.attname: getattr(entry, f.attname) for f in LogEntry._meta.concrete_fields}
    return LogEntry(**values | {"object_repr": "something else"})


def load(entry: LogEntry) -> None:
    """As `loaddata` does."""
    [loaded] = serializers.deserialize("json", serializers.serialize("json", [entry]))
    loaded.save()


def save(entry: LogEntry) -> None:
    entry.object_repr = "something else"
    entry.save()


ALTERATIONS: dict[str, Callable[[LogEntry], Any]] = {
    "save": save,
    "save a field": lambda entry: entry.save(update_fields=["changes"]),
    "save another under its number": lambda entry: again(entry).save(),
    "create another under its number": lambda entry: LogEntry.objects.bulk_create(
        [again(entry)],
        update_conflicts=True,
        unique_fields=["id"] * (connection.vendor == "sqlite"),
        update_fields=["object_repr"],
    ),
    "load from a file": lambda entry: load(again(entry)),
    "delete": lambda entry: entry.delete(),
    "delete past the signals": lambda entry: LogEntry.objects.all()._raw_delete("default"),
    "update": lambda entry: LogEntry.objects.update(actor=None),
    "update some": lambda entry: LogEntry.objects.get_for_object(PART()).update(changes={}),
    "bulk update": lambda entry: LogEntry.objects.bulk_update([entry], ["changes"]),
    "delete some": lambda entry: LogEntry.objects.filter(pk=entry.pk).delete(),
    "delete its kind": lambda entry: entry.content_type.delete(),
    "delete every kind": lambda entry: ContentType.objects.all().delete(),
    "delete who did it": lambda entry: entry.actor.delete(),
    "delete everybody": lambda entry: User.objects.all().delete(),
}
PART = lambda: Part.objects.get()  # noqa: E731


@pytest.fixture
def entry(boss: Persona) -> LogEntry:
    part = PartFactory.create()
    assert boss.put(f"/inventory/{part.pk}", {"location": "B2"}).status_code == 200
    return LogEntry.objects.filter(actor=boss.user).exclude(action=3).get()


@pytest.mark.parametrize("name", ALTERATIONS)
def test_code_that_tries_is_refused(name: str, entry: LogEntry) -> None:
    before = trail()
    with pytest.raises(TypeError, match="written once"), transaction.atomic():
        ALTERATIONS[name](entry)
    assert trail() == before


def test_without_the_guard_it_would_be_gone(entry: LogEntry) -> None:
    """The control of the test above."""
    signal = audit.pre_delete
    signal.disconnect(sender=LogEntry, dispatch_uid="autoful.audit.keep")
    try:
        entry.delete()
    finally:
        signal.connect(audit._keep, sender=LogEntry, dispatch_uid="autoful.audit.keep")
    assert not LogEntry.objects.filter(pk=entry.pk).exists()


def test_an_account_that_did_nothing_may_be_deleted() -> None:
    UserFactory.create().delete()


@pytest.mark.parametrize("name", ["auditlogflush", "auditlogmigratejson"])
def test_no_command_rewrites_entries(name: str, entry: LogEntry) -> None:
    before = trail()
    with pytest.raises(CommandError):
        call_command(name, "--yes")
    assert trail() == before


def test_no_command_line_empties_the_shop(entry: LogEntry) -> None:
    before = trail()
    with pytest.raises(SystemExit, match="not changed through the application"):
        execute_from_command_line(["manage.py", "flush", "--no-input"])
    assert trail() == before


def patterns(found: list[Any], prefix: str = "") -> list[tuple[str, URLPattern]]:
    return [
        (prefix + str(pattern.pattern), pattern)
        if isinstance(pattern, URLPattern)
        else patterns(pattern.url_patterns, prefix + str(pattern.pattern))
        for pattern in found
    ]


def flat(found: Any) -> list[tuple[str, URLPattern]]:
    return [found] if isinstance(found, tuple) else [one for part in found for one in flat(part)]


def test_the_only_routes_about_entries_are_the_pages_that_show_them(boss: Persona) -> None:
    routes = [route for route, _ in flat(patterns(get_resolver().url_patterns))]
    about = {route.split("/logentry/")[-1] for route in routes if "logentry" in route}
    assert not [route for route in routes if "logentry" in route and "admin/" not in route]
    assert about == {
        *("", "add/", "export/", "<path:object_id>/change/", "<path:object_id>/delete/"),
        *("<path:object_id>/history/", "<path:object_id>/"),
    }


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_no_page_about_entries_writes(method: str, boss: Persona, entry: LogEntry) -> None:
    desk = Desk(boss.user)
    part = reverse("admin:inventory_part_history", args=(PART().pk,))
    base = "admin:auditlog_logentry"
    pages = [
        reverse(f"{base}_{name}", args=(entry.pk,)) for name in ("change", "delete", "history")
    ]
    pages += [part, reverse(f"{base}_changelist"), reverse(f"{base}_add")]
    before = trail()
    data = {
        "post": "yes",
        "action": "delete_selected",
        "_selected_action": [entry.pk],
        "object_repr": "something else",
        "form-TOTAL_FORMS": "1",
        "form-INITIAL_FORMS": "1",
        "form-0-id": entry.pk,
        "form-0-object_repr": "something else",
        "_save": "Save",
    }
    for page in pages:
        getattr(desk, method)(page, data)
        assert trail() == before, page


def test_no_row_takes_entries_with_it() -> None:
    """What points at an entry or is pointed at by one: the kind and the account, both guarded."""
    fields = [f for f in LogEntry._meta.get_fields() if f.is_relation]
    assert {f.name for f in fields} == {"content_type", "actor"}
    generic = {f for m in apps.get_models() for f in m._meta.private_fields}
    assert not [f for f in generic if f.related_model is LogEntry]


def test_erasing_on_closing_is_the_one_exception(sarah: Persona, tom: Persona) -> None:
    written: list[str] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if (
            sql.upper().startswith(("UPDATE", "DELETE"))
            and "auditlog_logentry" in sql.split("SET")[0]
        ):
            written.append(sql)
        return execute(sql, params, many, context)

    others = LogEntry.objects.filter(object_pk=str(tom.id)).order_by("pk")
    before = list(others.values())
    with connection.execute_wrapper(watch):
        tom.put(f"/customers/{tom.id}", {"name": "Tom"})
        assert not written
        close_customer(customer=sarah.profile, actor=COMMAND)
    assert written
    assert list(others.values())[: len(before)] == before


class TestSmallPrint:
    def test_nothing_and_the_word_none_are_two(self) -> None:
        part = PartFactory.create(part_number=None)
        for number in ("None", None):
            change_part(part=part, fields={"part_number": number}, actor=COMMAND)
            last = LogEntry.objects.get_for_object(part).latest("pk")
            old = None if number else "None"
            assert last.changes == {"part_number": [old, number]}

    def test_leaving_a_group_with_it_is_a_change_of_each_account(self, boss: Persona) -> None:
        for door in ("page", "list"):
            group = Group.objects.create(name=f"Counter {door}")
            users = [UserFactory.create() for _ in range(2)]
            for user in users:
                user.groups.add(group)
            data: dict[str, Any] = {"post": "yes"}
            url = reverse("admin:auth_group_delete", args=(group.pk,))
            if door == "list":
                url = reverse("admin:auth_group_changelist")
                data |= {"action": "delete_selected", "_selected_action": [group.pk]}
            Desk(boss.user).post(url, data)
            assert not Group.objects.filter(pk=group.pk).exists()
            for user in users:
                entry = LogEntry.objects.get_for_object(user).latest("pk")
                said = {"type": "m2m", "operation": "delete", "objects": [group.name]}
                assert entry.changes == {"groups": said}
                assert entry.actor == boss.user
