"""The next status as buttons on a ticket's page, with a question where something is lost."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path

from autoful.actor import Actor
from autoful.admin import AskingPages
from autoful.admin.people import back_office
from tickets.forms import ReasonForm
from tickets.lifecycle import TRANSITIONS, transition
from tickets.models import ServiceTicket

Status = ServiceTicket.Status

MOVES = {
    Status.IN_PROGRESS: "Start work",
    Status.ON_HOLD: "Put on hold",
    Status.COMPLETED: "Complete",
    Status.CANCELLED: "Cancel ticket",
}


COMEBACK = (
    "The month in which it was completed has this ticket and its parts no more; they count where it is "
    "completed again. To keep that month as it was, open a new ticket."
)


def move_label(ticket: ServiceTicket, to: str) -> str:
    if to == Status.IN_PROGRESS and ticket.status == Status.COMPLETED:
        return "Reopen (comeback)"
    if to == Status.IN_PROGRESS and ticket.status == Status.ON_HOLD:
        return "Resume work"
    return MOVES[Status(to)]


def _moved(ticket: ServiceTicket) -> str:
    return f"{ticket} is {ticket.get_status_display().lower()}."


def _what_cancelling_does(ticket: ServiceTicket) -> str:
    lines = ticket.part_lines.select_related("part")
    parts = ", ".join(f"{line.quantity_used} × {line.part}" for line in lines)  # noqa: RUF001
    back = (
        f" Back into stock: {parts}. If they are fitted, complete the ticket instead."
        if parts
        else ""
    )
    return f"This cannot be undone, and the team is released.{back}"


class MovePages(AskingPages):
    """The pages of tickets on which they are moved."""

    def moves(self, request: HttpRequest, ticket: ServiceTicket) -> list[dict[str, Any]]:
        """What may come next, for the buttons."""
        if not self.has_change_permission(request, ticket):
            return []
        moves = []
        for to in TRANSITIONS[ticket.status]:
            label = move_label(ticket, to)
            variant = "default" if to == Status.ON_HOLD else "primary"
            danger = to == Status.CANCELLED
            moves.append({"to": to, "label": label, "variant": variant, "danger": danger})
        return moves

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """After saving: the move whose button was pressed, or the question that comes before it."""
        to = request.POST.get("_move")
        if to is None:
            return super().response_change(request, obj)
        if to not in MOVES:
            raise PermissionDenied
        if to == Status.CANCELLED or obj.status == Status.COMPLETED:
            return redirect("admin:tickets_serviceticket_move", obj.pk, to)
        # Inside the page's transaction: a move that is refused leaves nothing of it saved.
        moved = transition(ticket=obj, to=to, actor=back_office(request))
        self.message_user(request, _moved(moved), messages.SUCCESS)
        return redirect("admin:tickets_serviceticket_change", obj.pk)

    def get_urls(self) -> list[Any]:
        move = self.admin_site.admin_view(self.move)
        name = "tickets_serviceticket_move"
        return [path("<path:object_id>/move/<slug:to>/", move, name=name), *super().get_urls()]

    def move(self, request: HttpRequest, object_id: str, to: str) -> HttpResponse:
        """Move the status: at once from the ticket's page, or after a word about it."""
        ticket = self.get_object(request, object_id)
        if to not in MOVES or ticket is None:
            raise PermissionDenied
        label = move_label(ticket, to)

        def do(ticket: ServiceTicket, answer: dict[str, Any], actor: Actor) -> str:
            moved = transition(ticket=ticket, to=to, reason=answer.get("reason", ""), actor=actor)
            return _moved(moved)

        cancel, comeback = to == Status.CANCELLED, ticket.status == Status.COMPLETED
        text = _what_cancelling_does(ticket) if cancel else COMEBACK if comeback else ""
        return self.ask(
            request,
            object_id,
            form_class=ReasonForm,
            do=do,
            title=f"{label}: #{ticket.pk}, {ticket.customer}, {ticket.vehicle}",
            text=text,
            button=f"Yes, cancel #{ticket.pk}" if cancel else label,
            danger=cancel,
        )
