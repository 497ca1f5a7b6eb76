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


class VinTaken(InvalidField):
    def __init__(self) -> None:
        super().__init__("vin", "Another vehicle has this VIN already.")
