"""Why a backup cannot be made or brought back."""


class Refused(Exception):
    """One line that says what is wrong and what to do about it."""


def of_the_system(doing: str, error: OSError) -> Refused:
    """The operating system's no: a full disk, a folder that may not be written, a missing file."""
    return Refused(f"{doing}: {error.strerror or error}.")
