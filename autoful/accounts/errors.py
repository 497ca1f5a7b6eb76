from autoful.errors import DomainError, InvalidField


class InvalidCredentials(DomainError):
    """Wrong e-mail, wrong password, wrong role, unknown, deactivated: nobody is told which."""

    code = "invalid_credentials"
    status = 401

    def __init__(self) -> None:
        super().__init__("Invalid email or password.")


class AwaitingApproval(DomainError):
    code = "awaiting_approval"
    status = 403

    def __init__(self) -> None:
        super().__init__("Your account is awaiting approval by the shop's back office.")


class EmailTaken(InvalidField):
    def __init__(self) -> None:
        super().__init__("email", "An account with this email already exists.")


class WrongCode(InvalidField):
    def __init__(self) -> None:
        super().__init__(
            "code", "That is not the code the app shows now. Is the phone's clock right?"
        )
