from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from autoful.accounts.serializers import SignInSerializer
from autoful.accounts.views import sign_in_answer
from autoful.actor import Role
from autoful.api.permissions import Anyone, OwnProfile, PublicRead
from autoful.api.reading import Shape
from autoful.api.viewsets import ShopViewSet
from customers import registration
from customers.errors import CustomerNotFound
from customers.filters import CustomerFilter, PublicCustomerFilter
from customers.models import Customer
from customers.schema import customer_docs
from customers.serializers import (
    ChangeCustomerSerializer,
    CustomerDetailSerializer,
    CustomerSerializer,
    PublicCustomerSerializer,
    RegisterCustomerSerializer,
)


@customer_docs
class CustomerViewSet(ShopViewSet):
    """Customers of the shop. Without being entitled you see a first name, an initial and a number."""

    list_name = "customers"
    view_permission = "customers.view_customer"
    not_found = CustomerNotFound
    permissions = {
        "list": PublicRead(),
        "retrieve": PublicRead(),
        "top": PublicRead(),
        "create": Anyone(),
        "login": Anyone(),
        "update": OwnProfile(Role.CUSTOMER, "customers.change_customer"),
        "destroy": OwnProfile(Role.CUSTOMER, "customers.delete_customer"),
    }
    inputs = {
        "create": RegisterCustomerSerializer,
        "update": ChangeCustomerSerializer,
        "login": SignInSerializer,
    }
    serializer_class = CustomerSerializer
    public_serializer_class = PublicCustomerSerializer
    owner = Role.CUSTOMER
    filterset_class = CustomerFilter
    public_filterset_class = PublicCustomerFilter

    def get_queryset(self) -> Any:
        return Customer.objects.existing().order_by("id")

    def shape(self, *, own: bool) -> Shape:
        shape = super().shape(own=own)
        in_detail = self.action == "retrieve" and shape is CustomerSerializer
        return CustomerDetailSerializer if in_detail else shape

    def create(self, request: Request) -> Response:
        customer = registration.register_customer(**self.body(), actor=self.actor)
        return self.answer(customer, 201, CustomerSerializer)

    def update(self, request: Request, pk: str) -> Response:
        customer = self.get_object()
        changed = registration.change_customer(customer=customer, **self.body(), actor=self.actor)
        return self.answer(changed)

    def destroy(self, request: Request, pk: str) -> Response:
        registration.close_customer(customer=self.get_object(), actor=self.actor)
        return Response({"message": "Customer deleted successfully"})

    @action(detail=False)
    def top(self, request: Request) -> HttpResponseBase:
        rows, _ = self.shown(Customer.objects.top(3).values("pk"))
        return self.found(rows)

    @action(detail=False, methods=["post"], authentication_classes=[])
    def login(self, request: Request) -> Response:
        return sign_in_answer(Role.CUSTOMER, self.body())
