"""A line that shows how far something is."""

from django.core.management.base import OutputWrapper

STEPS = 4  # how many lines a file or a pipe gets


class ProgressLine:
    """One line that moves on a terminal, a few plain ones otherwise."""

    def __init__(self, what: str, out: OutputWrapper) -> None:
        self.what, self.out = what, out
        self.moves = out.isatty()
        self.said = 0

    def __call__(self, done: int, total: int, what: str) -> None:
        """So many of so many pages, tables, tickets."""
        if self.moves:
            self.out.write(f"\r{self.what} … {done} of {total} {what}", ending="")
            self.out.flush()
        elif done * STEPS // total > self.said:
            self.said = done * STEPS // total
            self.out.write(f"{self.what} … {done} of {total} {what}")
            self.out.flush()

    def end(self) -> None:
        """The line is done; the next word begins a new one."""
        if self.moves:
            self.out.write("")
