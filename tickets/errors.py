from collections.abc import Iterable

from autoful.errors import DomainError, Missing


class TicketNotFound(Missing):
    def __init__(self) -> None:
        super().__init__("Service Ticket not found.")


class TicketClosed(DomainError):
    code = "ticket_closed"

    def __init__(self, status: str) -> None:
        # A cancelled one cannot be reopened.
        next_step = "Open a new one" if status == "cancelled" else "Reopen it first"
        super().__init__(
            f"The ticket is {status}: its parts and team can no longer be changed. "
            f"{next_step} if there is more to do.",
            status=status,
        )


class IllegalTransition(DomainError):
    code = "illegal_transition"

    def __init__(self, status: str, to: str, allowed: Iterable[str]) -> None:
        allowed = list(allowed)
        super().__init__(
            f"A ticket that is {status} cannot become {to}.",
            status=status,
            allowed=allowed,
        )


class ReasonRequired(DomainError):
    code = "reason_required"

    def __init__(self) -> None:
        super().__init__("Say why a completed ticket comes back: its reason.")


class AlreadyAssigned(DomainError):
    code = "already_assigned"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is already on this ticket.")


class NotAssigned(DomainError):
    code = "not_assigned"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not on this ticket.")


class MechanicUnavailable(DomainError):
    code = "mechanic_unavailable"

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} cannot take work: the account is not approved or not active.")


class UnknownMechanics(DomainError):
    code = "unknown_mechanics"

    def __init__(self, ids: Iterable[int]) -> None:
        ids = sorted(ids)
        super().__init__(
            f"No such mechanic: {', '.join(map(str, ids))}. Nothing was changed.",
            unknown_ids=ids,
        )


class LineNotOnTicket(DomainError):
    code = "part_line_not_on_ticket"

    def __init__(self) -> None:
        super().__init__("This ticket has no such part line.")


class LineTooLarge(DomainError):
    code = "quantity_too_large"

    def __init__(self, largest: int) -> None:
        super().__init__(f"A line holds at most {largest} of a part.", largest=largest)


class LineChangedMeanwhile(DomainError):
    code = "part_line_changed"
    status = 409

    def __init__(self, part: str, quantity: int) -> None:
        super().__init__(
            f"Somebody else has changed the quantity of {part} to {quantity} meanwhile. "
            "Open the ticket again to see what it says now.",
            quantity=quantity,
        )
