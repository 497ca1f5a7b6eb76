"""Pages: `?page=1&per_page=10`, with totals."""

import re
from typing import Any

from django.template.loader import render_to_string
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

PER_PAGE = 10
MOST_PER_PAGE = 100
PARAMETERS = ("page", "per_page")


class Pages(BasePagination):
    """`per_page` above 100 is cut to 100; a page past the end has no rows and is no error."""

    template = "rest_framework/pagination/previous_and_next.html"

    def __init__(self, key: str = "") -> None:
        self.key = key

    def get_results(self, data: Any) -> Any:
        """Where the rows are; the browsable API offers its filters only beside rows."""
        return data[self.key]

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        self.page, self.per_page = asked_page(request)
        self.total_items = queryset.count()
        self.total_pages = -(-self.total_items // self.per_page)
        self.display_page_controls = self.total_pages > 1  # the browsable API's
        if self.page > self.total_pages:
            return []  # and no OFFSET, which a page of nineteen digits would overflow
        start = (self.page - 1) * self.per_page
        return list(queryset[start : start + self.per_page])

    def summary(self) -> dict[str, int]:
        return {
            "page": self.page,
            "per_page": self.per_page,
            "total_pages": self.total_pages,
            "total_items": self.total_items,
        }

    def to_html(self) -> str:
        return render_to_string(
            self.template,
            {
                "previous_url": self._url(self.page - 1),
                "next_url": self._url(self.page + 1),
            },
        )

    def _url(self, page: int) -> str | None:
        if not 1 <= page <= self.total_pages:
            return None
        return replace_query_param(self.request.build_absolute_uri(), "page", page)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        whole = {"type": "integer", "minimum": 1, "maximum": 999_999_999_999_999}
        return [
            {
                "name": "page",
                "in": "query",
                "description": "From 1; past the end there are no rows.",
                "schema": whole | {"default": 1},
            },
            {
                "name": "per_page",
                "in": "query",
                "description": f"Rows a page; more than {MOST_PER_PAGE} is cut to that.",
                "schema": whole | {"default": PER_PAGE},
            },
        ]


def asked_page(request: Request) -> tuple[int, int]:
    """The page and the rows a page that are asked for; raises ValidationError."""
    return (
        _positive(request, "page", 1),
        min(_positive(request, "per_page", PER_PAGE), MOST_PER_PAGE),
    )


def _positive(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,15}", text) or int(text) < 1:
        raise ValidationError({name: ["A whole number from 1 is needed."]})
    return int(text)
