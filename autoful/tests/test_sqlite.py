import pytest

from autoful.sqlite import like


@pytest.mark.parametrize(
    ("value", "pattern", "found"),
    [
        ("Étrier de frein", "%étrier%", True),
        ("BRAKE PAD", "%brake%", True),
        ("ΚΑΛΏΔΙΟ", "%καλώδιο%", True),
        ("two\nlines", "%TWO%LINES%", True),
        ("100% new", r"%100\%%", True),
        ("1000 new", r"%100\%%", False),
        ("a_b", r"a\_b", True),
        ("axb", r"a\_b", False),
        ("axb", "a_b", True),
        ("a.b", "%a.b%", True),
        ("axb", "%a.b%", False),
        ("", "%", True),
        ("brake", "brak", False),
    ],
)
def test_like_folds_case_in_every_script(value: str, pattern: str, found: bool) -> None:
    assert like(pattern, value, "\\") is found


def test_null_is_neither_like_nor_unlike() -> None:
    assert like("%", None, "\\") is None
    assert like(None, "x", "\\") is None
