"""What a process keeps: within its bytes, and counted right when a thing is replaced."""

from autoful.api.shelf import Shelf


def test_what_was_put_is_there_until_it_is_replaced() -> None:
    shelf: Shelf[str] = Shelf(100)
    assert shelf.get("a") is None
    shelf.put("a", "first", 10)
    shelf.put(("b", 1), "other", 20)
    shelf.put("a", "second", 30)
    assert (shelf.get("a"), shelf.get(("b", 1))) == ("second", "other")
    assert shelf._bytes == 50


def test_ever_new_things_take_no_more_room() -> None:
    shelf: Shelf[int] = Shelf(100)
    for number in range(1_000):
        shelf.put(number, number, 30)
        assert shelf.get(number) == number
        assert shelf._bytes == 30 * len(shelf._things) <= 130
    assert shelf.get(0) is None
