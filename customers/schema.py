"""How the customers' routes are documented."""

from drf_spectacular.utils import extend_schema_view

from autoful.accounts.schema import sign_in_docs
from autoful.api.schema import (
    EXAMPLE_PAGINATION,
    MESSAGE,
    by_caller,
    documented,
    page_of,
)
from customers.serializers import (
    ChangeCustomerSerializer,
    CustomerDetailSerializer,
    CustomerSerializer,
    PublicCustomerSerializer,
    RegisterCustomerSerializer,
)

PUBLIC = {"id": 7, "name": "Sarah J.", "ticket_count": 2}
FULL = {
    "id": 7,
    "name": "Sarah Johnson",
    "email": "sarah@example.com",
    "phone": "+1 555 010 2030",
    "ticket_count": 0,
}
REGISTRATION = {
    "name": "Sarah Johnson",
    "email": "sarah@example.com",
    "phone": "+1 555 010 2030",
    "password": "correct horse battery",
}

customer_docs = extend_schema_view(
    list=documented(
        "List customers",
        page_of(
            "CustomerPage",
            "customers",
            by_caller("CustomerRow", CustomerSerializer, PublicCustomerSerializer, many=True),
        ),
        {"customers": [PUBLIC], "pagination": EXAMPLE_PAGINATION},
        description="The shop's people see and filter by contact data; you see yourself in full; "
        "of everybody else there is a first name, an initial and the number of tickets.",
        public=True,
    ),
    retrieve=documented(
        "Show a customer",
        by_caller("CustomerAnswer", CustomerDetailSerializer, PublicCustomerSerializer),
        PUBLIC,
        description="With contact data and `service_tickets` for the shop's people and the "
        "customer; the public view for everybody else.",
        public=True,
    ),
    top=documented(
        "The three customers with the most tickets",
        by_caller("TopCustomer", CustomerSerializer, PublicCustomerSerializer, many=True),
        PUBLIC,
        description="At most three, the one with the most first; nobody without a ticket.",
        public=True,
        filters=False,
    ),
    create=documented(
        "Register as a customer",
        CustomerSerializer,
        FULL,
        status=201,
        body=RegisterCustomerSerializer,
        body_example=REGISTRATION,
        description="Opens an account. One account may be a customer and a mechanic: register "
        "with the same e-mail and password.",
        public=True,
        refusals={
            400: {
                "code": "invalid",
                "message": "An account with this email already exists.",
                "fields": {"email": ["An account with this email already exists."]},
            }
        },
    ),
    update=documented(
        "Change your customer account",
        CustomerSerializer,
        FULL,
        body=ChangeCustomerSerializer,
        body_example={"phone": "+1 555 010 2030"},
        description="Any subset. A new password ends every token of the account.",
    ),
    destroy=documented(
        "Close your account and erase your personal data",
        MESSAGE,
        {"message": "Customer deleted successfully"},
        description="The tickets stay for the books, with the customer shown as deleted. The id "
        "answers 404 from then on, and the e-mail is free again.",
    ),
    login=sign_in_docs("customer", "sarah@example.com", 7, "Sarah Johnson"),
)
