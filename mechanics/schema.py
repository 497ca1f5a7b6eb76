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
from mechanics.serializers import (
    ChangeMechanicSerializer,
    ColleagueDetailSerializer,
    ColleagueSerializer,
    MechanicDetailSerializer,
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


mechanic_docs = extend_schema_view(
    list=documented(
        "List mechanics",
        page_of(
            "MechanicPage",
            "mechanics",
            by_caller("MechanicRow", MechanicSerializer, ColleagueSerializer, many=True),
        ),
        {"mechanics": [COLLEAGUE], "pagination": EXAMPLE_PAGINATION},
        description="For the shop's people. A salary is shown to that mechanic and to the back "
        "office alone.",
    ),
    retrieve=documented(
        "Show a mechanic",
        by_caller("MechanicAnswer", MechanicDetailSerializer, ColleagueDetailSerializer),
        COLLEAGUE | {"service_tickets": [TICKET]},
        description="With the newest tickets the mechanic is on.",
    ),
    top=documented(
        "The three mechanics with the most tickets",
        TopMechanicSerializer(many=True),
        {"id": 3, "name": "Mike", "ticket_count": 12},
        description="At most three, the one with the most first; nobody without a ticket. The "
        "shop's people see whole names.",
        public=True,
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
        description="Works at once, or waits for the back office (`approved` is false until "
        "then), or is closed (403), as the shop has set it.",
        public=True,
        refusals={
            403: {
                "code": "signup_closed",
                "message": "Mechanics cannot sign up here. Ask the shop's back office.",
            }
        },
    ),
    update=documented(
        "Change your mechanic account",
        MechanicSerializer,
        FULL,
        body=ChangeMechanicSerializer,
        body_example={"phone": "+1 555 010 4050"},
        description="Any subset. A new password ends every token of the account.",
    ),
    destroy=documented(
        "Close your account and leave your open tickets",
        MESSAGE,
        {"message": "Mechanic deleted successfully"},
        description="Open tickets lose the mechanic, finished ones keep the name. The id answers "
        "404 from then on, and the e-mail is free again.",
    ),
    login=sign_in_docs("mechanic", "mike@example.com", 3, "Mike Chen"),
)
