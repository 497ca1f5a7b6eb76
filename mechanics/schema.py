"""How the mechanics' routes are documented."""

from drf_spectacular.utils import extend_schema_view

from autoful.accounts.schema import sign_in_docs
from autoful.api.schema import (
    EXAMPLE_PAGINATION,
    MESSAGE,
    by_caller,
    documented,
    page_of,
)
from customers.serializers import TicketSummarySerializer
from mechanics.serializers import (
    ChangeMechanicSerializer,
    ColleagueSerializer,
    MechanicSerializer,
    RegisterMechanicSerializer,
    TopMechanicSerializer,
)

COLLEAGUE = {
    "id": 3,
    "name": "Mike Chen",
    "email": "mike@example.com",
    "phone": "+1 555 010 4050",
}
FULL = COLLEAGUE | {"salary": 52000.0, "approved": True}
TICKET = {
    "id": 42,
    "VIN": "1HGCM82633A004352",
    "service_date": "2026-03-14",
    "service_desc": "Brakes squeal",
    "status": "in_progress",
}


class MechanicDetailSerializer(MechanicSerializer):
    service_tickets = TicketSummarySerializer(many=True)

    class Meta(MechanicSerializer.Meta):
        fields = (*MechanicSerializer.Meta.fields, "service_tickets")


class ColleagueDetailSerializer(ColleagueSerializer):
    service_tickets = TicketSummarySerializer(many=True)

    class Meta(ColleagueSerializer.Meta):
        fields = (*ColleagueSerializer.Meta.fields, "service_tickets")


mechanic_docs = extend_schema_view(
    list=documented(
        "List mechanics",
        page_of(
            "MechanicPage",
            "mechanics",
            by_caller("MechanicRow", MechanicSerializer, ColleagueSerializer, many=True),
        ),
        {"mechanics": [COLLEAGUE], "pagination": EXAMPLE_PAGINATION},
    ),
    retrieve=documented(
        "Show a mechanic",
        by_caller("MechanicAnswer", MechanicDetailSerializer, ColleagueDetailSerializer),
        COLLEAGUE | {"service_tickets": [TICKET]},
    ),
    top=documented(
        "The three mechanics with the most tickets",
        TopMechanicSerializer(many=True),
        [{"id": 3, "name": "Mike", "ticket_count": 12}],
        filters=False,
    ),
    create=documented(
        "Sign up as a mechanic",
        MechanicSerializer,
        FULL,
        status=201,
        body=RegisterMechanicSerializer,
        body_example={
            "name": "Mike Chen",
            "email": "mike@example.com",
            "phone": "+1 555 010 4050",
            "salary": 52000,
            "password": "correct horse battery",
        },
    ),
    update=documented(
        "Change your account",
        MechanicSerializer,
        FULL,
        body=ChangeMechanicSerializer,
        body_example={"phone": "+1 555 010 4050"},
    ),
    destroy=documented(
        "Close your account and leave your open tickets",
        MESSAGE,
        {"message": "Mechanic deleted successfully"},
    ),
    login=sign_in_docs("mechanic", "mike@example.com", 3, "Mike Chen"),
)
