from autoful.errors import DomainError, InvalidField, Missing


class CustomerNotFound(Missing):
    def __init__(self) -> None:
        super().__init__("Customer not found.")


class VehicleNotFound(Missing):
    def __init__(self) -> None:
        super().__init__("Vehicle not found.")


class OwnerChanged(DomainError):
    code = "owner_changed"
    status = 409

    def __init__(self) -> None:
        super().__init__("The vehicle has another owner meanwhile. Reload the page and look again.")


class HasTickets(DomainError):
    code = "vehicle_has_tickets"
    status = 409

    def __init__(self, vehicle: object, tickets: int) -> None:
        found = "1 ticket" if tickets == 1 else f"{tickets} tickets"
        super().__init__(
            f"{vehicle} has {found}, and its history stays. If that is another car's, write its VIN on the "
            "ticket first.",
            tickets=tickets,
        )


class VinTaken(InvalidField):
    def __init__(self) -> None:
        super().__init__("vin", "Another vehicle has this VIN already. The search box finds it.")
