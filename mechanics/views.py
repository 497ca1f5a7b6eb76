from typing import Any

from django.http.response import HttpResponseBase
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from autoful.accounts.serializers import SignInSerializer
from autoful.accounts.views import sign_in_answer
from autoful.actor import Role
from autoful.api import reading
from autoful.api.permissions import Anyone, OwnProfile, PublicRead, WorksHere
from autoful.api.reading import Shape
from autoful.api.viewsets import ShopViewSet
from autoful.errors import Forbidden
from mechanics import registration
from mechanics.errors import MechanicNotFound
from mechanics.filters import MechanicFilter
from mechanics.models import Mechanic
from mechanics.schema import mechanic_docs
from mechanics.serializers import (
    ChangeMechanicSerializer,
    ColleagueDetailSerializer,
    ColleagueSerializer,
    MechanicDetailSerializer,
    MechanicSerializer,
    PublicTopMechanicSerializer,
    RegisterMechanicSerializer,
    TopMechanicSerializer,
)

IN_DETAIL: dict[Shape, Shape] = {
    MechanicSerializer: MechanicDetailSerializer,
    ColleagueSerializer: ColleagueDetailSerializer,
}


@mechanic_docs
class MechanicViewSet(ShopViewSet):
    """The shop's mechanics, for the people who work here."""

    list_name = "mechanics"
    view_permission = "mechanics.view_salary"
    not_found = MechanicNotFound
    permissions = {
        "list": WorksHere("mechanics.view_mechanic"),
        "retrieve": WorksHere("mechanics.view_mechanic"),
        "top": PublicRead(),
        "create": Anyone(),
        "login": Anyone(),
        "update": OwnProfile(Role.MECHANIC, "mechanics.change_mechanic"),
        "destroy": OwnProfile(Role.MECHANIC, "mechanics.delete_mechanic"),
    }
    inputs = {
        "create": RegisterMechanicSerializer,
        "update": ChangeMechanicSerializer,
        "login": SignInSerializer,
    }
    serializer_class = MechanicSerializer
    public_serializer_class = ColleagueSerializer
    owner = Role.MECHANIC
    filterset_class = MechanicFilter
    public_filterset_class = MechanicFilter

    def get_queryset(self) -> Any:
        return Mechanic.objects.existing().order_by("id")

    def sees_all(self) -> bool:
        # The full view has the salary, so here a mechanic is not one of those who see it all.
        return self.actor.role is Role.BACK_OFFICE and super().sees_all()

    def shape(self, *, own: bool) -> Shape:
        shape = super().shape(own=own)
        return IN_DETAIL[shape] if self.action == "retrieve" else shape

    def create(self, request: Request) -> Response:
        mechanic = registration.register_mechanic(**self.body(), actor=self.actor)
        return self.answer(mechanic, 201, MechanicSerializer)

    def update(self, request: Request, pk: str) -> Response:
        mechanic, fields = self.get_object(), self.body()
        if "salary" in fields and not (self.sees_all() or self.owns(mechanic.pk)):
            raise Forbidden("You may not see salaries, and so not set them.")
        mechanic = registration.change_mechanic(mechanic=mechanic, **fields, actor=self.actor)
        return self.answer(mechanic)

    def destroy(self, request: Request, pk: str) -> Response:
        registration.close_mechanic(mechanic=self.get_object(), actor=self.actor)
        return Response({"message": "Mechanic deleted successfully"})

    @action(detail=False)
    def top(self, request: Request) -> HttpResponseBase:
        staff = self.actor.works_here("mechanics.view_mechanic")
        shape = TopMechanicSerializer if staff else PublicTopMechanicSerializer
        numbers = list(Mechanic.objects.top(3).values_list("pk", flat=True))
        rows = reading.read(shape, numbers)
        return self.found([rows[number] for number in numbers if number in rows])

    @action(detail=False, methods=["post"], authentication_classes=[])
    def login(self, request: Request) -> Response:
        return sign_in_answer(Role.MECHANIC, self.body())
