"""How the parts' routes are documented."""

from drf_spectacular.utils import OpenApiParameter, extend_schema_view
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
        description="By name. Cost, reorder point and location are for the shop's people.",
        public=True,
    ),
    retrieve=documented(
        "Show a part",
        by_caller("PartAnswer", PartSerializer, PublicPartSerializer),
        PUBLIC,
        description="Cost, reorder point and location are for the shop's people.",
        public=True,
    ),
    search=documented(
        "Find parts by name",
        page_of("PartSearch", "parts", PartSerializer(many=True)),
        {"parts": [FULL], "pagination": EXAMPLE_PAGINATION},
        parameters=[SearchSerializer],
        description="Whose name contains `part_name`, whatever the case.",
        paged=True,
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
        parameters=[
            OpenApiParameter(
                "threshold",
                {"type": "integer", "minimum": 0, "maximum": 9_999_999},
                description="How many in stock are few.",
            )
        ],
        description="At or below the threshold, emptiest first; with no threshold, at or below "
        "each part's own reorder point.",
        paged=True,
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
        description="Its first stock is the opening balance of its ledger.",
        refusals={
            400: {
                "code": "invalid",
                "message": "Another part has this number already.",
                "fields": {"part_number": ["Another part has this number already."]},
            }
        },
    ),
    update=documented(
        "Change a part",
        PartSerializer,
        FULL,
        body=ChangePartSerializer,
        body_example={"quantity_in_stock": 48},
        description="Any subset. A new quantity is recorded as a stock adjustment.",
    ),
    destroy=documented(
        "Delete a part no ticket has used",
        MESSAGE,
        {"message": "Brake Pad Set deleted successfully"},
        description="Refused, with a suggestion, when any ticket has used the part.",
        refusals={
            400: {
                "code": "part_in_use",
                "message": "Brake Pad Set has been used on service tickets and cannot be deleted.",
                "part": "Brake Pad Set",
                "suggestion": "Set its quantity_in_stock and reorder_point to 0 to stop selling "
                "it.",
            }
        },
    ),
)
