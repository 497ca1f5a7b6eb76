"""The search for parts, by hand."""

from typing import Any

from bench.limit.answers import pagination
from bench.limit.database import row, rows

FIELDS = (
    *("id", "part_name", "part_number", "category", "price", "quantity_in_stock"),
    *("cost", "reorder_point", "location"),
)


# Minding neither case nor accents, as `autoful/fields.py` has it.
NAMED = "FROM inventory_part WHERE part_name COLLATE utf8mb4_unicode_520_ci LIKE %s"


def pattern(text: str) -> str:
    return "%" + text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"


def count(text: str) -> int:
    counted = row(f"SELECT COUNT(*) {NAMED}", pattern(text))
    assert counted
    return int(counted[0])


def search(text: str, page: int, per_page: int, counted: int) -> dict[str, Any]:
    found = rows(
        f"SELECT {', '.join(FIELDS)} {NAMED} ORDER BY part_name, id"
        f" LIMIT {per_page} OFFSET {(page - 1) * per_page}",
        pattern(text),
    )
    parts = [dict(zip(FIELDS, part, strict=True)) for part in found]
    return {"parts": parts, "pagination": pagination(page, per_page, counted)}
