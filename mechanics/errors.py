from autoful.errors import Forbidden, Missing


class MechanicNotFound(Missing):
    def __init__(self) -> None:
        super().__init__("Mechanic not found.")


class SignupClosed(Forbidden):
    code = "signup_closed"

    def __init__(self) -> None:
        super().__init__("Mechanics cannot sign up here. Ask the shop's back office.")
