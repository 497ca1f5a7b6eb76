from autoful.errors import DomainError, InvalidField, Missing


class PartNotFound(Missing):
    def __init__(self) -> None:
        super().__init__("Inventory part not found.")


class PartNumberTaken(InvalidField):
    def __init__(self) -> None:
        super().__init__("part_number", "Another part has this number already.")


class InsufficientStock(DomainError):
    code = "insufficient_stock"

    def __init__(self, *, part: str, requested: int, available: int) -> None:
        super().__init__(
            f"Not enough stock of {part}: {requested} asked for, {available} available.",
            part=part,
            requested=requested,
            available=available,
        )


class StockTooLarge(DomainError):
    code = "stock_too_large"

    def __init__(self, *, part: str, largest: int) -> None:
        super().__init__(
            f"That is more of {part} than can be counted ({largest}). Is the number right?",
            part=part,
            largest=largest,
        )


class StockMovedMeanwhile(DomainError):
    code = "stock_moved"
    status = 409

    def __init__(self, *, was: int, now: int) -> None:
        super().__init__(
            f"There were {was} in stock when you opened the page, and there are {now} by now. If what "
            "moved since is not in your count, count again; then save once more.",
            now=now,
        )


class PartHasHistory(DomainError):
    code = "part_in_use"

    def __init__(self, *, part: str) -> None:
        super().__init__(
            f"{part} has been used on service tickets and cannot be deleted.",
            part=part,
            suggestion="Set its quantity_in_stock and reorder_point to 0 to stop selling it.",
        )
