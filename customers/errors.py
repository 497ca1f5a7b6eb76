from autoful.errors import InvalidField, Missing


class CustomerNotFound(Missing):
    def __init__(self) -> None:
        super().__init__("Customer not found.")


class VehicleNotFound(Missing):
    def __init__(self) -> None:
        super().__init__("Vehicle not found.")


class VinTaken(InvalidField):
    def __init__(self) -> None:
        super().__init__("vin", "Another vehicle has this VIN already.")
