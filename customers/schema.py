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
    ),
    retrieve=documented(
        "Show a customer",
        by_caller("CustomerAnswer", CustomerDetailSerializer, PublicCustomerSerializer),
        PUBLIC,
    ),
    top=documented(
        "The three customers with the most tickets",
        by_caller("TopCustomer", CustomerSerializer, PublicCustomerSerializer, many=True),
        [PUBLIC],
        filters=False,
    ),
    create=documented(
        "Register as a customer",
        CustomerSerializer,
        FULL,
        status=201,
        body=RegisterCustomerSerializer,
        body_example=REGISTRATION,
    ),
    update=documented(
        "Change your account",
        CustomerSerializer,
        FULL,
        body=ChangeCustomerSerializer,
        body_example={"phone": "+1 555 010 2030"},
    ),
    destroy=documented(
        "Close your account and erase your personal data",
        MESSAGE,
        {"message": "Customer deleted successfully"},
    ),
    login=sign_in_docs("customer", "sarah@example.com", 7, "Sarah Johnson"),
)
