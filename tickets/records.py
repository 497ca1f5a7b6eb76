"""The back office: what is only read, moves, teams and parts as they were."""

import re
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from unfold.decorators import display

from autoful.admin import ReadOnlyAdmin
from autoful.admin.lists import SEARCHED, newest
from autoful.admin.people import WITH_NAMES, SaysWho, colleague, colleagues_found_by
from inventory.models import Part
from mechanics.models import Mechanic
from tickets.models import Assignment, PartLine, StatusChange

NUMBER = re.compile(
    "(?i:ticket)? ?#?([1-9][0-9]{0,17})"
)  # with zeros before it, it is the end of a VIN


def by_number(text: str, column: str) -> list[Q]:
    """The way to find what has this ticket's number in `column`; none for what is no number."""
    found = NUMBER.fullmatch(text)
    return [Q(**{column: int(found[1])})] if found else []


class RecordAdmin(ReadOnlyAdmin):
    """Rows about tickets, newest first."""

    ordering = ("-id",)
    search_fields = SEARCHED
    pointed_at = ""  # the column that points at what else they are found by

    def pointed_at_by(self, request: HttpRequest, text: str) -> Any:
        """The rows that `text` finds, at which these point."""
        raise NotImplementedError

    def ways_to_find(self, request: HttpRequest, text: str, among: Any = None) -> list[Q]:
        others = newest(self.pointed_at_by(request, text))
        return [*by_number(text, "ticket"), Q(**{f"{self.pointed_at}__in": others})]


@admin.register(StatusChange)
class StatusChangeAdmin(SaysWho, RecordAdmin):
    list_display = ("created_at", "ticket", "from_status", "to_status", "who", "reason")
    list_filter = ("to_status", "created_at")
    list_select_related = ("ticket", *WITH_NAMES)
    search_help_text = "Ticket number, or whoever moved it."
    pointed_at = "actor"

    def pointed_at_by(self, request: HttpRequest, text: str) -> Any:
        return colleagues_found_by(request, text)


@admin.register(Assignment)
class AssignmentAdmin(RecordAdmin):
    """Who was on what. The team is changed on the ticket's page."""

    list_display = ("assigned_at", "ticket", "mechanic", "by")
    list_filter = ("assigned_at",)
    list_select_related = ("ticket", "mechanic", "assigned_by__mechanic")
    search_help_text = "Ticket number or mechanic."
    pointed_at = "mechanic"

    def pointed_at_by(self, request: HttpRequest, text: str) -> Any:
        return Mechanic.objects.filter(name__icontains=text)

    @display(description="assigned by")
    def by(self, assignment: Assignment) -> str:
        return colleague(assignment.assigned_by)


@admin.register(PartLine)
class PartLineAdmin(RecordAdmin):
    """What was used on what. Parts are added, corrected and removed on the ticket's page."""

    list_display = ("created_at", "ticket", "part", "quantity_used", "unit_price", "unit_cost")
    list_filter = ("created_at",)
    list_select_related = ("ticket", "part")
    search_help_text = "Ticket number, part or part number."
    private_fields = {"unit_cost": "inventory.view_cost"}
    pointed_at = "part"

    def pointed_at_by(self, request: HttpRequest, text: str) -> Any:
        return Part.objects.found_by(text)
