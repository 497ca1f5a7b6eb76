"""The base of every viewset: who calls, how often, what they may see, in which shape."""

from collections.abc import Iterable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, ClassVar

from django.conf import settings
from django.db.models import Model
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers
from rest_framework.metadata import SimpleMetadata
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from autoful import limits
from autoful.actor import Actor, Role
from autoful.api import caching, replica, writes
from autoful.api.authentication import actor_of
from autoful.api.pagination import Pages, asked_page
from autoful.api.parsers import BodyTooLarge, LengthRequired
from autoful.api.permissions import Anyone, Nobody
from autoful.api.preconditions import tagged
from autoful.api.renderers import JSONRenderer
from autoful.errors import Missing
from autoful.limits import TooManyRequests


class RouteMetadata(SimpleMetadata):
    """What OPTIONS says of a route: not which rows there are, nor the shapes of bodies."""

    def determine_actions(self, request: Request, view: Any) -> dict[str, Any]:
        return {}


class ShopViewSet(GenericViewSet[Any]):
    """A viewset names its rows, shapes, permissions and errors; its actions call one verb each.

    `list_name` is the key of the rows in a list, the name of its cache and of its routes' limits.
    `view_permission` is the Django permission with which the back office sees the full view.
    """

    limit_headers: Mapping[str, str] = MappingProxyType({})
    metadata_class = RouteMetadata
    lookup_value_regex = "[0-9]{1,18}"

    list_name: ClassVar[str]
    view_permission: ClassVar[str]
    not_found: ClassVar[type[Missing]]
    permissions: ClassVar[dict[str, BasePermission]]
    inputs: ClassVar[dict[str, type[BaseSerializer[Any]]]]
    serializer_class: Any
    public_serializer_class: ClassVar[Any]
    filterset_class: ClassVar[Any] = None
    public_filterset_class: ClassVar[Any] = None

    # --- Who calls, how often, and whether they may ---

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)

    def perform_authentication(self, request: Request) -> None:
        length = request.META.get("CONTENT_LENGTH")
        if "HTTP_TRANSFER_ENCODING" in request.META and not length:
            raise LengthRequired  # WSGI would read it as an empty body, and change nothing
        if int(length or 0) > settings.API_MAX_BODY_BYTES:
            raise BodyTooLarge
        super().perform_authentication(request)
        if self.action:  # a method nobody answers is a 405, counted against nothing
            route = f"{self.list_name}.{self.action}"
            anyone = isinstance(self.permissions.get(self.action), Anyone)
            usage = limits.count(route, self.actor, no_sign_in_needed=anyone)
            self.limit_headers = usage.headers
            if usage.wait:
                raise TooManyRequests(usage.wait)

    def get_permissions(self) -> list[Any]:
        if self.action in (None, "metadata"):
            return []
        return [self.permissions.get(self.action, Nobody())]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method and writes.is_write(self, request):
            # DRF asks for the handler of the method next.
            method = request.method.lower()
            setattr(self, method, partial(writes.in_one_transaction, self, getattr(self, method)))

    # --- What they may see ---

    def sees_all(self) -> bool:
        """Whether every row is shown to the caller in full."""
        return self.actor.works_here(self.view_permission)

    def owns(self, instance: Any) -> bool:
        """Whether this row is the caller's own."""
        return False

    def audience(self) -> str:
        """Who may be served the same cached list."""
        if self.sees_all():
            return "shop"
        if self.actor.role in (Role.CUSTOMER, Role.MECHANIC):
            return f"{self.actor.role}-{self.actor.profile_id}"
        return "public"

    def filterset_for_caller(self) -> Any:
        if self.action != "list":
            return None
        return self.filterset_class if self.sees_all() else self.public_filterset_class

    def get_object(self) -> Any:
        instance = self.get_queryset().filter(pk=self.kwargs["pk"]).first()
        if instance is None:
            raise self.not_found
        self.check_object_permissions(self.request, instance)
        return instance

    # --- In which shape ---

    def get_serializer_class(self) -> Any:
        return self.inputs.get(self.action or "", self.serializer_class)

    def body(self) -> dict[str, Any]:
        """The body of the request, checked."""
        serializer = self.get_serializer(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def represent(self, instance: Model) -> Any:
        """One row as the caller may see it."""
        return self.represent_all([instance])[0]

    def represent_all(self, instances: Iterable[Model]) -> list[Any]:
        """Rows as the caller may see them; one serializer serves all that are seen alike."""
        context = self.get_serializer_context()
        full: Any = self.serializer_class(context=context)
        public: Any = self.public_serializer_class(context=context)
        sees_all = self.sees_all()
        return [
            (full if sees_all or self.owns(instance) else public).to_representation(instance)
            for instance in instances
        ]

    def answer(self, instance: Any, status: int = 200) -> Response:
        return tagged(Response(self.represent(instance), status=status), instance)

    # --- Lists ---

    def kept_total(self, using: str) -> int | None:
        """How many rows the whole list has in that database, if somebody keeps count of them."""
        return None

    def total(self, queryset: Any) -> int:
        """How many rows a list has, counted once for all its pages."""
        if queryset.query.where == self.get_queryset().query.where:
            kept = self.kept_total(queryset.db)
            if kept is not None:
                return kept
        return caching.cached_total(
            self.list_name,
            queryset,
            queryset.count,
            may_be_behind=lambda: queryset.db == replica.REPLICA,
        )

    def rows(
        self, queryset: Any, key: str | None = None, *, both_ends: bool = True
    ) -> dict[str, Any]:
        """One page of rows in the contract's shape, under `key`; `both_ends`: see `Pages`."""
        key = key or self.list_name
        self._paginator = paginator = Pages(key, self.total, both_ends=both_ends)

        def build(database: str) -> dict[str, Any]:
            asked = queryset.using(database)
            keys = [row["pk"] for row in paginator.paginate_queryset(asked, self.request)]
            found = asked.order_by().in_bulk(keys)
            # One that was deleted since its key was read is not there.
            page = [found[pk] for pk in keys if pk in found]
            return {key: self.represent_all(page), "pagination": paginator.summary()}

        rows, self.read_from = replica.read(self.actor, build)
        return rows

    # --- The actions every viewset has ---

    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        def build() -> Any:
            return self.rows(self.filter_queryset(self.get_queryset()))

        if request.accepted_renderer.format != "json":
            return Response(build())
        # Only what the list knows tells pages apart; what a client adds besides fills no cache.
        query = request.query_params
        known = self.filterset_class.base_filters if self.filterset_class else ()
        page = caching.cached_page(
            self.list_name,
            self.audience(),
            {name: query.getlist(name) for name in known} | {"page": asked_page(request)},
            lambda: JSONRenderer().render(build()),
            may_be_behind=lambda: self.read_from == replica.REPLICA,
        )
        return HttpResponse(page, content_type="application/json")

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.answer(self.get_object())

    # --- What every answer carries ---

    def finalize_response(  # type: ignore[override]
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in self.limit_headers.items():
            response[name] = value
        # The same URL answers differently by caller: no shared cache may keep it, and a private
        # one asks again with the ETag.
        patch_cache_control(response, private=True, no_cache=True)
        patch_vary_headers(response, ["Authorization", "Cookie"])
        return response
