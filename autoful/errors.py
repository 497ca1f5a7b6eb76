"""What every rule of the shop raises when it says no."""

from typing import Any, ClassVar


class DomainError(Exception):
    """A request that cannot be honoured, with a stable code, an HTTP status and the facts.

    The message is for the person at the screen: it says what is wrong and what can be done.
    """

    code: ClassVar[str] = "refused"
    status: ClassVar[int] = 400
    row = ""  # of a table on a page of the back office: which it is about, where that is known

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class InvalidField(DomainError):
    """A value that only the database could tell is wrong, such as a name already taken."""

    code = "invalid"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, fields={field: [message]})
        self.field = field


class Missing(DomainError):
    """Something named in the request is not there."""

    code = "not_found"
    status = 404


class Forbidden(DomainError):
    """A good sign-in that may not do this."""

    code = "forbidden"
    status = 403


class Busy(DomainError):
    """The row was fought over for too long; the same request may well succeed in a moment."""

    code = "busy"
    status = 503

    def __init__(self) -> None:
        super().__init__("Too many people are changing this at once. Try again in a moment.")
