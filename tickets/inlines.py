"""What stands on a ticket's page in the back office: team, parts and timeline."""

import re
from collections.abc import Callable
from typing import Any

from django import forms
from django.http import HttpRequest
from unfold.decorators import display

from autoful.actor import Actor
from autoful.admin import VerbFormSet, VerbInline
from autoful.admin.forms import SETTLED, Settled, is_row_number
from autoful.admin.people import colleague
from autoful.errors import DomainError
from autoful.money import to_cents
from inventory.models import LARGEST_QUANTITY
from tickets.assignment import change_team
from tickets.models import OWN_WORK, Assignment, PartLine, ServiceTicket
from tickets.parts import add_part, change_quantity, remove_line

# A box in a row, which only a page that can be written sends; what says which row it is, every page does.
BOX = re.compile("[a-z_]+-[0-9]+-(?!(id|ticket)$)[A-Za-z_]+")


class TeamFormSet(VerbFormSet):
    def save_by_verbs(self, parent: ServiceTicket, actor: Actor) -> None:
        add = [form.cleaned_data["mechanic"].pk for form in self.added]
        remove = [assignment.mechanic_id for assignment in self.removed]
        if add or remove:
            change_team(ticket=parent, add_ids=add, remove_ids=remove, actor=actor)


class PartLineForm(forms.ModelForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "part" not in self.fields:
            return
        if self.instance.pk:
            # Another part is another line: its price was written with it.
            self.initial["part"] = self.instance.part
            self._settle(str(self.instance.part))
        elif gone := self.data.get(f"{self.add_prefix('part')}{SETTLED}"):
            self._settle(gone)

    def _settle(self, part: str) -> None:
        # A plain field asks nothing.
        self.fields["part"] = forms.Field(label="Part", disabled=True, widget=Settled(part))

    def _get_validation_exclusions(self) -> set[str]:
        # What is there already is not looked for again.
        return super()._get_validation_exclusions() | ({"part"} if self.instance.pk else set())  # type: ignore[misc]

    def validate_constraints(self) -> None:
        """A part that is on the ticket already is no mistake: the verb adds to its line."""


class PartLineFormSet(VerbFormSet):
    def validate_unique(self) -> None:
        """Nor is the same part typed in twice."""

    def save_by_verbs(self, parent: ServiceTicket, actor: Actor) -> None:
        steps: list[tuple[int, str, Callable[..., Any], dict[str, Any]]] = []
        for form in self.deleted_forms:
            if (line := form.instance).pk:
                shown = self.shown(form, "quantity_used")
                was = int(shown) if is_row_number(shown) else None
                steps.append(
                    (line.part_id, form.prefix, remove_line, {"line_id": line.pk, "was": was})
                )
        for form in self.corrected:
            line, to = form.instance, form.cleaned_data["quantity_used"]
            numbers = {"quantity": to, "was": form.initial["quantity_used"]}
            known = {"line_id": line.pk} | numbers
            steps.append((line.part_id, form.prefix, change_quantity, known))
        for form in self.added:
            part, number = form.cleaned_data["part"], form.cleaned_data["quantity_used"]
            typed = {"part_id": part.pk, "quantity": number}
            steps.append((part.pk, form.prefix, add_part, typed))
        # By part, whatever the rows' order: the order in which everybody locks parts.
        for _, row, verb, fields in sorted(steps, key=lambda step: step[0]):
            try:
                verb(ticket=parent, actor=actor, **fields)
            except DomainError as refusal:
                refusal.row = row
                raise


class SeenWithTheTicket:
    """Whoever sees tickets because they work on them sees what stands on those."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        seen: bool = super().has_view_permission(request, obj)  # type: ignore[misc]
        return seen or bool(request.user.has_perm(OWN_WORK))


class TicketInline(SeenWithTheTicket, VerbInline):
    """Rows that are added and removed. What is written in them stays, but for a part's quantity."""

    parent_field = "ticket"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not is_frozen(request, obj) and bool(super().has_add_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not is_frozen(request, obj) and bool(super().has_delete_permission(request, obj))


def is_frozen(request: HttpRequest, ticket: ServiceTicket | None) -> bool:
    """Whether team and parts are only shown.

    Not on a page with boxes, which was opened before somebody closed the ticket: Django would drop in
    silence what was typed, where the verb says why it cannot be done.
    """
    has_boxes = any(BOX.fullmatch(name) for name in request.POST)
    return ticket is not None and not ticket.is_open and not has_boxes


class TeamInline(TicketInline):
    model = Assignment
    formset = TeamFormSet
    verbose_name, verbose_name_plural = "mechanic", "Team"
    readonly_fields = ("who", "by", "assigned_at")
    autocomplete_fields = ("mechanic",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        # As a column of its model it would lead to a page that not everybody may open.
        sees = request.user.has_perm("mechanics.view_mechanic")
        return ["mechanic" if sees else "who", "by", "assigned_at"]

    @display(description="mechanic")
    def who(self, assignment: Assignment) -> str:
        return assignment.mechanic.name

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("mechanic", "assigned_by__mechanic")

    @display(description="assigned by")
    def by(self, assignment: Assignment) -> str:
        return colleague(assignment.assigned_by)


class PartLineInline(TicketInline):
    model = PartLine
    form = PartLineForm
    formset = PartLineFormSet
    verbose_name, verbose_name_plural = "part", "Parts"
    readonly_fields = ("unit_price", "unit_cost", "total")
    autocomplete_fields = ("part",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        may = bool(request.user.has_perm("tickets.change_partline"))
        return may and not is_frozen(request, obj)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        cost = ["unit_cost"] if request.user.has_perm("inventory.view_cost") else []
        return ["part", "quantity_used", "unit_price", *cost, "total"]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("part")

    @display(description="total")
    def total(self, line: PartLine) -> str:
        # What was typed stands in it, however much that is.
        known = line.pk and line.quantity_used <= LARGEST_QUANTITY
        return str(to_cents(line.unit_price * line.quantity_used)) if known else "-"
