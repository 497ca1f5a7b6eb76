"""How the tickets' routes are documented."""

from drf_spectacular.utils import (
    extend_schema_serializer,
    extend_schema_view,
    inline_serializer,
)
from rest_framework import serializers

from autoful.api.schema import (
    EXAMPLE_PAGINATION,
    MESSAGE,
    by_caller,
    documented,
    page_of,
)
from tickets.serializers import (
    AddPartSerializer,
    EditTicketSerializer,
    MyTicketSerializer,
    OpenTicketSerializer,
    PublicTicketSerializer,
    ServiceTicketSerializer,
    ShopTicketSerializer,
    TeamSerializer,
)

MASKED = {
    "id": 42,
    "VIN": "***********004352",
    "service_date": "2026-03-14",
    "service_desc": "Brakes squeal",
    "status": "in_progress",
    "mechanics": [{"name": "Mike"}],
    "service_inventories": [{"quantity_used": 2, "inventory": {"part_name": "Brake Pad Set"}}],
}
FULL = {
    "id": 42,
    "VIN": "1HGCM82633A004352",
    "service_date": "2026-03-14",
    "service_desc": "Brakes squeal",
    "status": "in_progress",
    "customer_id": 7,
    "customer": {
        "id": 7,
        "name": "Sarah Johnson",
        "email": "sarah@example.com",
        "phone": "+1 555 010 2030",
    },
    "mechanics": [
        {
            "id": 3,
            "name": "Mike Chen",
            "email": "mike@example.com",
            "phone": "+1 555 010 4050",
        }
    ],
    "service_inventories": [
        {
            "id": 31,
            "service_ticket_id": 42,
            "inventory_id": 7,
            "quantity_used": 2,
            "unit_price": 45.99,
            "inventory": {
                "id": 7,
                "part_name": "Brake Pad Set",
                "price": 45.99,
                "quantity_in_stock": 48,
            },
        }
    ],
    "created_at": "2026-03-14T08:05:00Z",
    "updated_at": "2026-03-14T09:12:30Z",
    "notes": "",
    "mileage": 88120,
    "completed_at": None,
}

# The whole team or the change to it, never both.
extend_schema_serializer(
    extensions={
        "x-one-of": [
            {"required": ["mechanic_ids"]},
            {"anyOf": [{"required": ["add_ids"]}, {"required": ["remove_ids"]}]},
        ]
    }
)(TeamSerializer)

any_ticket = (ShopTicketSerializer, ServiceTicketSerializer, PublicTicketSerializer)


class WrittenTicketSerializer(ShopTicketSerializer):
    """A ticket just written; `warnings` only when something looks mistyped."""

    warnings = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()), required=False
    )

    class Meta(ShopTicketSerializer.Meta):
        fields = (*ShopTicketSerializer.Meta.fields, "warnings")


ticket_docs = extend_schema_view(
    list=documented(
        "List service tickets",
        page_of(
            "TicketPage",
            "service_tickets",
            by_caller("TicketRow", *any_ticket, many=True),
        ),
        {"service_tickets": [MASKED], "pagination": EXAMPLE_PAGINATION},
        description="Newest first. In full for the shop's people and the customer it belongs to; "
        "everybody else sees no private data.",
        public=True,
    ),
    retrieve=documented(
        "Show a ticket",
        by_caller("TicketAnswer", *any_ticket),
        FULL,
        description="With customer, mechanics and the parts used, for the shop's people and the "
        "customer it belongs to; everybody else sees no private data.",
        public=True,
    ),
    create=documented(
        "Open a ticket",
        WrittenTicketSerializer,
        FULL,
        status=201,
        body=OpenTicketSerializer,
        body_example={
            "customer_id": 7,
            "VIN": "1HGCM82633A004352",
            "service_desc": "Brakes squeal",
            "service_date": "2026-03-14",
        },
        description="A VIN whose check digit is wrong is taken and reported in `warnings`.",
        refusals={404: {"code": "not_found", "message": "Customer not found."}},
    ),
    partial_update=documented(
        "Change a ticket",
        WrittenTicketSerializer,
        FULL,
        body=EditTicketSerializer,
        body_example={"status": "in_progress"},
        description="Any subset. `status` moves by the table of allowed moves; a completed "
        "ticket comes back with a `reason`.",
        refusals={
            400: {
                "code": "illegal_transition",
                "message": "A ticket that is pending cannot become completed.",
                "status": "pending",
                "allowed": ["in_progress", "on_hold", "cancelled"],
            }
        },
    ),
    destroy=documented(
        "Delete a ticket; its parts go back into stock",
        MESSAGE,
        {"message": "Service Ticket deleted successfully"},
        description="For good, in any status.",
    ),
    assign_mechanic=documented(
        "Put a mechanic on a ticket",
        WrittenTicketSerializer,
        FULL,
        description="Refused when the mechanic is on it already, or the ticket is closed.",
        refusals={
            400: {"code": "already_assigned", "message": "Mike Chen is already on this ticket."}
        },
    ),
    remove_mechanic=documented(
        "Take a mechanic off a ticket",
        WrittenTicketSerializer,
        FULL,
        description="Refused when the mechanic is not on it, or the ticket is closed.",
        refusals={400: {"code": "not_assigned", "message": "Mike Chen is not on this ticket."}},
    ),
    edit_mechanics=documented(
        "Set or change a ticket's team",
        WrittenTicketSerializer,
        FULL,
        body=TeamSerializer,
        body_example={"mechanic_ids": [3, 7, 11]},
        description="`mechanic_ids` is the whole team; `add_ids` and `remove_ids` change it. All "
        "or nothing.",
        refusals={
            400: {
                "code": "unknown_mechanics",
                "message": "No such mechanic: 11. Nothing was changed.",
                "unknown_ids": [11],
            }
        },
    ),
    add_inventory=documented(
        "Put a part on a ticket",
        inline_serializer(
            "PartAdded",
            {
                "message": serializers.CharField(),
                "part": serializers.CharField(),
                "quantity_used": serializers.IntegerField(help_text="The line's new total."),
                "stock_remaining": serializers.IntegerField(),
                "service_inventory_id": serializers.IntegerField(),
            },
        ),
        {
            "message": "Added 2x Brake Pad Set to service ticket",
            "part": "Brake Pad Set",
            "quantity_used": 2,
            "stock_remaining": 48,
            "service_inventory_id": 31,
        },
        status=[201, 200],
        body=AddPartSerializer,
        body_example={"inventory_id": 7, "quantity_used": 2},
        description="201 for a new line, 200 when the part was on the ticket already; then "
        "`quantity_used` is the line's new total.",
        refusals={
            400: {
                "code": "insufficient_stock",
                "message": "Not enough stock of Brake Pad Set: 60 asked for, 50 available.",
                "part": "Brake Pad Set",
                "requested": 60,
                "available": 50,
            }
        },
    ),
    remove_inventory=documented(
        "Take a part off a ticket",
        inline_serializer(
            "PartRemoved",
            {
                "message": serializers.CharField(),
                "part": serializers.CharField(),
                "quantity_restored": serializers.IntegerField(),
                "stock_remaining": serializers.IntegerField(),
            },
        ),
        {
            "message": "Removed 2x Brake Pad Set from service ticket",
            "part": "Brake Pad Set",
            "quantity_restored": 2,
            "stock_remaining": 50,
        },
        description="The whole line; its parts go back into stock.",
        refusals={
            400: {
                "code": "part_line_not_on_ticket",
                "message": "This ticket has no such part line.",
            }
        },
    ),
)

my_ticket_docs = extend_schema_view(
    my_tickets=documented(
        "Your tickets",
        page_of("MyTickets", "tickets", MyTicketSerializer(many=True)),
        {
            "tickets": [
                {
                    "id": 42,
                    "VIN": "1HGCM82633A004352",
                    "service_desc": "Brakes squeal",
                    "service_date": "2026-03-14",
                    "status": "in_progress",
                    "mechanics": ["Mike Chen", "Lisa Ray"],
                }
            ],
            "pagination": EXAMPLE_PAGINATION,
        },
        description="Newest first.",
        paged=True,
    )
)
