"""How the parts' routes are documented."""

from drf_spectacular.utils import extend_schema_view
from rest_framework import serializers

from autoful.api.schema import (
    EXAMPLE_PAGINATION,
    MESSAGE,
    by_caller,
    documented,
    page_of,
)
from inventory.serializers import (
    ChangePartSerializer,
    EnterPartSerializer,
    LowStockSerializer,
    PartSerializer,
    PublicPartSerializer,
    SearchSerializer,
)

PUBLIC = {
    "id": 7,
    "part_name": "Brake Pad Set",
    "part_number": "BP-1042",
    "category": "Brakes",
    "price": 45.99,
    "quantity_in_stock": 48,
}
FULL = PUBLIC | {"cost": 27.5, "reorder_point": 5, "location": "A3"}

inventory_docs = extend_schema_view(
    list=documented(
        "List parts",
        page_of(
            "PartPage",
            "inventory",
            by_caller("PartRow", PartSerializer, PublicPartSerializer, many=True),
        ),
        {"inventory": [PUBLIC], "pagination": EXAMPLE_PAGINATION},
    ),
    retrieve=documented(
        "Show a part",
        by_caller("PartAnswer", PartSerializer, PublicPartSerializer),
        PUBLIC,
    ),
    search=documented(
        "Find parts by name",
        page_of("PartSearch", "parts", PartSerializer(many=True)),
        {"parts": [FULL], "pagination": EXAMPLE_PAGINATION},
        parameters=[SearchSerializer],
        filters=True,
    ),
    low_stock=documented(
        "Parts that run out",
        page_of(
            "LowStock",
            "parts",
            PartSerializer(many=True),
            threshold=serializers.IntegerField(allow_null=True),
            count=serializers.IntegerField(),
        ),
        {"threshold": 5, "count": 1, "parts": [FULL], "pagination": EXAMPLE_PAGINATION},
        parameters=[LowStockSerializer],
        filters=True,
    ),
    create=documented(
        "Enter a part",
        PartSerializer,
        FULL,
        status=201,
        body=EnterPartSerializer,
        body_example={
            "part_name": "Brake Pad Set",
            "price": 45.99,
            "quantity_in_stock": 50,
        },
    ),
    update=documented(
        "Change a part",
        PartSerializer,
        FULL,
        body=ChangePartSerializer,
        body_example={"quantity_in_stock": 48},
        description="A new quantity is recorded as a stock adjustment.",
    ),
    destroy=documented(
        "Delete a part no ticket has used",
        MESSAGE,
        {"message": "Brake Pad Set deleted successfully"},
    ),
)
