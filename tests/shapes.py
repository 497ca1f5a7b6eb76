"""Every shape that a view shows, and what DRF's own fields make of the model instances.

This reference knows nothing of columns: it takes an instance, follows each `source` from attribute
to attribute, and asks the field how it shows what stands there.
"""

import sys
from collections.abc import Iterator
from typing import Any

from django.urls import get_resolver
from rest_framework import serializers

from autoful.api.reading import Row, Shape
from autoful.api.viewsets import ShopViewSet


def viewsets(patterns: Any) -> Iterator[type[ShopViewSet]]:
    for pattern in patterns:
        yield from viewsets(getattr(pattern, "url_patterns", ()))
        view = getattr(getattr(pattern, "callback", None), "cls", None)
        if isinstance(view, type) and issubclass(view, ShopViewSet):
            yield view


def shapes_of_views() -> list[Shape]:
    """What a viewset or its module names and a model stands behind; a body's shape has none."""
    found: set[Shape] = set()
    for view in set(viewsets(get_resolver().url_patterns)):
        found |= {
            named
            for named in (*vars(sys.modules[view.__module__]).values(), *vars(view).values())
            if isinstance(named, type)
            and issubclass(named, serializers.Serializer)
            and hasattr(named, "Meta")
        }
    return sorted(found, key=lambda shape: shape.__name__)


SHAPES = shapes_of_views()


def most(shape: Shape) -> list[int]:
    """How many rows at most the fields with `many=True` show, of those which say so."""
    return [
        field.max_length
        for field in shape().fields.values()
        if isinstance(field, serializers.ListSerializer) and field.max_length
    ]


# --- The reference --------------------------------------------------------------------------------


def at(instance: Any, path: list[str]) -> Any:
    for name in path:
        instance = None if instance is None else getattr(instance, name)
    return instance


def shown(serializer: Any, instance: Any) -> Any:
    if instance is None:
        return None
    return {
        name: valued(field, instance)
        for name, field in serializer.fields.items()
        if not field.write_only
    }


def valued(field: Any, instance: Any) -> Any:
    back, *path = field.source.split(".")
    if isinstance(field, serializers.ListSerializer):
        found = rows_at(instance, back, path, field.max_length)
        return [shown(field.child, row) for row in found]
    if isinstance(field, serializers.ManyRelatedField):
        found = rows_at(instance, back, path, None)
        return [field.child_relation.to_representation(row) for row in found]
    value = at(instance, [back, *path])
    if isinstance(field, serializers.Serializer):
        return shown(field, value)
    return None if value is None else field.to_representation(value)


def rows_at(instance: Any, back: str, path: list[str], newest: int | None) -> list[Any]:
    rows = sorted(getattr(instance, back).all(), key=lambda row: row.pk)
    meant = [at(row, path) for row in rows]
    return sorted(meant, key=lambda row: -row.pk)[:newest] if newest else meant


def reference(shape: Shape, numbers: list[int]) -> dict[int, Row]:
    rows = shape.Meta.model._base_manager.in_bulk(numbers)  # type: ignore[attr-defined]
    return {number: shown(shape(), rows[number]) for number in sorted(rows)}
