"""The line that shows how far something is."""

from io import StringIO

from django.core.management.base import OutputWrapper

from autoful.progress import ProgressLine


def test_what_is_counted_is_the_callers_to_say() -> None:
    out = StringIO()
    line = ProgressLine("Backing up", OutputWrapper(out))
    for done in range(1, 9):
        line(done, 8, "pages")
    line.end()
    assert out.getvalue().splitlines() == [f"Backing up … {n} of 8 pages" for n in (2, 4, 6, 8)]
