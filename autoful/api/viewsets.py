"""The base of every viewset: who calls, how often, what they may see, in which shape."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache, partial
from types import MappingProxyType
from typing import Any, ClassVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers
from rest_framework.metadata import SimpleMetadata
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from autoful import limits, tally
from autoful.actor import Actor, Role, identify
from autoful.api import caching, reading, replica, writes
from autoful.api.authentication import actor_of
from autoful.api.inputs import checked
from autoful.api.pagination import Pages, asked_page
from autoful.api.parsers import BodyTooLarge, LengthRequired
from autoful.api.permissions import Anyone, Nobody
from autoful.api.preconditions import tagged, versioned
from autoful.api.public_pages import USAGE
from autoful.api.reading import Row, Shape
from autoful.api.renderers import JSONRenderer
from autoful.api.whole_lists import Whole
from autoful.errors import Missing
from autoful.limits import TooManyRequests
from autoful.models import ShopModel
from autoful.prepared import Prepared, Question, ask


class RouteMetadata(SimpleMetadata):
    """What OPTIONS says of a route: not which rows there are, nor the shapes of bodies."""

    def determine_actions(self, request: Request, view: Any) -> dict[str, Any]:
        return {}


@cache
def _row(view: type["ShopViewSet"]) -> Prepared:
    return Prepared(lambda number: view().get_queryset().filter(pk=number))


@cache
def _key(view: type["ShopViewSet"]) -> Prepared:
    columns = dict.fromkeys(["pk", "version", view.owner_column])
    return Prepared(lambda number: view().get_queryset().filter(pk=number).values(*columns))


@cache
def _whole(view: type["ShopViewSet"]) -> Whole:
    # By a view that has no caller: rows that depend on one raise here, and are nobody else's.
    return Whole(lambda: view().get_queryset(), tally.total_of(view.list_name))


@cache
def _where(view: type["ShopViewSet"]) -> Any:
    """What narrows a whole list."""
    return view().get_queryset().query.where


class ShopViewSet(GenericViewSet[Any]):
    """A viewset names its rows, shapes, permissions and errors; its actions call one verb each.

    `list_name` is the key of the rows in a list, the name of its cache and of its routes' limits.
    `view_permission` is the Django permission with which the back office sees the full view.
    `owner` is the role of those whose own a row may be, `owner_column` where their number stands.
    `changes_nothing` names actions that are no writes though their method is one's: signing in,
    because a token is not to be stored, and a second one harms nobody.
    """

    limit_headers: Mapping[str, str] = MappingProxyType({})
    metadata_class = RouteMetadata
    lookup_value_regex = "[0-9]{1,18}"

    list_name: ClassVar[str]
    view_permission: ClassVar[str]
    not_found: ClassVar[type[Missing]]
    permissions: ClassVar[dict[str, BasePermission]]
    inputs: ClassVar[dict[str, type[BaseSerializer[Any]]]]
    changes_nothing: ClassVar[frozenset[str]] = frozenset({"login"})
    serializer_class: Any
    public_serializer_class: ClassVar[Any]
    owner: ClassVar[Role | None] = None
    owner_column: ClassVar[str] = "pk"
    filterset_class: ClassVar[Any] = None
    public_filterset_class: ClassVar[Any] = None

    # --- Who calls, how often, and whether they may ---

    @property
    def actor(self) -> Actor:
        return actor_of(self.request)

    @property
    def route(self) -> str:
        """The route's name for limits, keys, figures and the log: `inventory.destroy`."""
        return f"{self.list_name}.{self.action}"

    def perform_authentication(self, request: Request) -> None:
        length = request.META.get("CONTENT_LENGTH")
        if "HTTP_TRANSFER_ENCODING" in request.META and not length:
            raise LengthRequired  # WSGI would read it as an empty body, and change nothing
        if int(length or 0) > settings.API_MAX_BODY_BYTES:  # a number, or BodyLimit refused it
            raise BodyTooLarge
        super().perform_authentication(request)
        identify(self.actor)
        if self.action:  # a method nobody answers is a 405, counted against nothing
            anyone = isinstance(self.permissions.get(self.action), Anyone)
            usage = request.META.get(USAGE) or limits.count(
                self.route, self.actor, no_sign_in_needed=anyone
            )
            self.limit_headers = usage.headers
            if usage.wait:
                raise TooManyRequests(usage)

    def get_permissions(self) -> list[Any]:
        if self.action in (None, "metadata"):
            return []
        return [self.permissions.get(self.action, Nobody())]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method and writes.is_write(self, self.action, request.method):
            # DRF asks for the handler of the method next.
            method = request.method.lower()
            setattr(self, method, partial(writes.in_one_transaction, self, getattr(self, method)))

    # --- What they may see ---

    def sees_all(self) -> bool:
        """Whether every row is shown to the caller in full."""
        return self.actor.works_here(self.view_permission)

    def owns(self, owner: int) -> bool:
        """Whether a row whose `owner_column` says `owner` is the caller's own."""
        return self.owner is not None and self.actor.is_profile(self.owner, owner)

    def may_own(self) -> bool:
        """Whether a row could be the caller's own, and so have another shape than the others."""
        return self.owner is not None and self.actor.role is self.owner

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
        instance = _row(type(self)).first(int(self.kwargs["pk"]))
        if instance is None:
            raise self.not_found
        self.check_object_permissions(self.request, instance)
        return instance

    # --- In which shape ---

    def get_serializer_class(self) -> Any:
        return self.inputs.get(self.action or "", self.serializer_class)

    def body(self) -> dict[str, Any]:
        """The body of the request, checked."""
        return checked(self.get_serializer_class(), self.request.data)

    def shape(self, *, own: bool) -> Shape:
        """What the caller may see of a row, by whether it is their own."""
        full = own or self.sees_all()
        return self.serializer_class if full else self.public_serializer_class

    def shown(
        self,
        keys: Iterable[Any],
        beside: Iterable[Question] = (),
        brought: Mapping[int, Mapping[str, Any]] = MappingProxyType({}),
        *,
        using: str = DEFAULT_DB_ALIAS,
    ) -> tuple[list[Row], list[list[Any]]]:
        """The rows of `keys` as the caller may see them; one that is deleted by now is left out, unless
        it was `brought` along (see `reading`). And the answers to what is asked `beside`, before them.
        """
        keys = list(keys)
        numbers: dict[Shape, list[int]] = defaultdict(list)
        for key in keys:
            own = self.may_own() and self.owns(key[self.owner_column])
            numbers[self.shape(own=own)].append(key["pk"])
        rows, answers = reading.read_beside(beside, numbers, brought, using=using)
        return [rows[key["pk"]] for key in keys if key["pk"] in rows], answers

    def found(self, data: Any) -> HttpResponseBase:
        """The answer to a GET. As JSON it is finished here, without DRF's way to a template."""
        if self.request.accepted_renderer.format != "json":
            return Response(data)
        text = JSONRenderer().render(data, self.request.accepted_media_type)
        return HttpResponse(text, content_type="application/json")

    def answer(
        self,
        row: ShopModel,
        status: int = 200,
        shape: Shape | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> Response:
        """What a verb left behind, read again, with what `more` there is to say of it."""
        shape = shape or self.shape(own=self.owns(getattr(row, self.owner_column)))
        shown = reading.read(shape, [row.pk]).get(row.pk)
        if shown is None:
            raise self.not_found
        return tagged(Response({**shown, **(more or {})}, status=status), row)

    # --- Lists ---

    def whole(self, queryset: Any) -> Whole | None:
        """The list itself, if no filter narrows it."""
        return _whole(type(self)) if queryset.query.where == _where(type(self)) else None

    def rows(
        self, listed: Any, key: str | None = None, *, both_ends: bool = True
    ) -> dict[str, Any]:
        """One page in the contract's shape, under `key`, of what is `listed`: a queryset, or a `Whole`.

        `both_ends`: see `Pages`.
        """
        key = key or self.list_name
        queryset, question = (None, listed.question) if isinstance(listed, Whole) else (listed, "")
        self._paginator = paginator = Pages(
            key,
            partial(caching.cached_total, self.list_name, question=question),
            [self.owner_column],
            () if self.may_own() else reading.columns(self.shape(own=False)),
            both_ends=both_ends,
            whole=self.whole(queryset) if queryset is not None else listed,
        )

        def build(database: str) -> dict[str, Any]:
            keys = paginator.paginate_queryset(queryset, self.request, using=database)
            brought = {k["pk"]: k for k in keys} if paginator.brought_rest else {}
            rows, answers = self.shown(keys, paginator.still_asked(), brought, using=database)
            paginator.answered(answers)
            return {key: rows, "pagination": paginator.summary()}

        rows, self.read_from = replica.read(self.actor, build)
        return rows

    # --- The actions every viewset has ---

    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # Only what the list knows tells pages apart; what a client adds besides fills no cache.
        query = request.query_params
        known = self.filterset_class.base_filters if self.filterset_class else ()
        asked = {name: query.getlist(name) for name in known if name in query}

        def build() -> Any:
            return self.rows(
                self.filter_queryset(self.get_queryset()) if asked else _whole(type(self))
            )

        if request.accepted_renderer.format != "json":
            return self.found(build())
        page = caching.cached_page(
            self.list_name,
            self.audience(),
            asked | {"page": asked_page(request)},
            lambda: JSONRenderer().render(build()),
            may_be_behind=lambda: self.read_from == replica.REPLICA,
        )
        answer = HttpResponse(page, content_type="application/json")
        if self.actor.role is Role.NOBODY:
            match: Any = request.resolver_match
            answer.public_page = self.route, match.route, page  # type: ignore[attr-defined]
        return answer

    def retrieve(self, request: Request, pk: str) -> HttpResponseBase:
        number = int(pk)
        wanted = _key(type(self)).asked(number)
        if self.may_own():
            (keys,) = ask([wanted])
            rows, _ = self.shown(keys)
        else:
            found, (keys,) = reading.read_beside([wanted], {self.shape(own=False): [number]})
            rows = list(found.values())
        if not keys or not rows:
            raise self.not_found
        return versioned(self.found(rows[0]), keys[0]["version"])

    # --- What every answer carries ---

    def finalize_response(  # type: ignore[override]
        self, request: Request, response: Any, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        response = super().finalize_response(request, response, *args, **kwargs)
        for name, value in self.limit_headers.items():
            response.setdefault(name, value)  # a refusal's tell of the limit that refused
        # The same URL answers differently by caller: no shared cache may keep it, and a private
        # one asks again with the ETag.
        patch_cache_control(response, private=True, no_cache=True)
        patch_vary_headers(response, ["Authorization", "Cookie"])
        return response
