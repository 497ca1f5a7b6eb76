"""The search for parts, by hand."""

from typing import Any

from bench.limit.answers import pagination
from bench.limit.database import row, rows

FIELDS = (
    *("id", "part_name", "part_number", "category", "price", "quantity_in_stock"),
    *("cost", "reorder_point", "location"),
)


def search(text: str, page: int, per_page: int) -> dict[str, Any]:
    pattern = "%" + text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
    # Minding neither case nor accents, as `autoful/fields.py` has it.
    named = "FROM inventory_part WHERE part_name COLLATE utf8mb4_unicode_520_ci LIKE %s"
    counted = row(f"SELECT COUNT(*) {named}", pattern)
    assert counted
    found = rows(
        f"SELECT {', '.join(FIELDS)} {named} ORDER BY part_name, id"
        f" LIMIT {per_page} OFFSET {(page - 1) * per_page}",
        pattern,
    )
    parts = [dict(zip(FIELDS, part, strict=True)) for part in found]
    return {"parts": parts, "pagination": pagination(page, per_page, counted[0])}
