"""Why a backup cannot be made or brought back."""


class Refused(Exception):
    """One line that says what is wrong and what to do about it.

    Its words may be those of a file or a program: nothing in them moves a terminal's cursor.
    """

    def __str__(self) -> str:
        return "".join(letter for letter in super().__str__() if letter.isprintable())


def of_the_system(doing: str, error: OSError) -> Refused:
    """The operating system's no: a full disk, a folder that may not be written, a missing file."""
    return Refused(f"{doing}: {error.strerror or error}.")
