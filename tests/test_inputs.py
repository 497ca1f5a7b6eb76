"""One serializer checks everybody's input, and says what a new one for each would say."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.http import QueryDict
from django.urls import get_resolver
from rest_framework.exceptions import ValidationError

from autoful.api.inputs import checked
from autoful.api.viewsets import ShopViewSet
from inventory.serializers import LowStockSerializer, SearchSerializer

get_resolver().url_patterns  # noqa: B018 - every view is known from here on
INPUTS = {SearchSerializer, LowStockSerializer}
INPUTS |= {shape for view in ShopViewSet.__subclasses__() for shape in view.inputs.values()}

VALUES: list[Any] = [
    *("5", 5, -1, 0, 1.5, "5.00", "1e3", True, None, "", " ", "x" * 5_000, "0" * 40, 1 << 70),
    *("2026-01-15", "15.01.2026", "sarah@example.com", "+1 555 010 2030", "1FAHP34N87W000010"),
    *("Pads", "naïve ☂", "a\0b", [], [1], ["1"], [1, 1], {}, {"id": 1}, "in_progress", "nothing"),
]


def said(check: Any) -> Any:
    try:
        return dict(check())
    except ValidationError as refusal:
        return refusal.get_full_details()


def by_a_new_one(shape: Any, data: Any) -> Any:
    def check() -> Any:
        serializer = shape(data=data)
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    return said(check)


def bodies(shape: Any) -> list[Any]:
    names = list(shape().fields)
    whole = [dict.fromkeys(names, value) for value in VALUES]
    single = [{name: value} for name in names for value in VALUES]
    return [*whole, *single, {}, [], None, "text", 7, {"unknown": 1}]


def forms(shape: Any) -> list[QueryDict]:
    made = []
    for body in bodies(shape):
        if isinstance(body, dict):
            form = QueryDict(mutable=True)
            for name, value in body.items():
                form.setlist(name, value if isinstance(value, list) else [str(value)])
            made.append(form)
    return made


@pytest.mark.parametrize("shape", sorted(INPUTS, key=str), ids=lambda shape: shape.__name__)
def test_it_says_of_bodies_and_forms_what_a_new_one_says(shape: Any) -> None:
    taken = 0
    for data in [*bodies(shape), *forms(shape), *bodies(shape)]:
        mine = said(lambda data=data: checked(shape, data))
        assert mine == by_a_new_one(shape, data), data
        taken += isinstance(data, dict) and isinstance(mine, dict)
    assert taken


def test_what_several_ask_at_once_is_not_mixed_up() -> None:
    def ask(number: int) -> list[str]:
        return [
            checked(SearchSerializer, QueryDict(f"part_name=part{number}-{n}"))["part_name"]
            for n in range(200)
        ]

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(ask, range(4)))
    assert outcomes == [[f"part{number}-{n}" for n in range(200)] for number in range(4)]
