"""What the OpenAPI schema says of every route alike, and the words with which routes describe themselves."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from django.core.validators import RegexValidator
from django.urls import resolve
from drf_spectacular.drainage import set_override
from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
    inline_serializer,
)
from rest_framework import serializers

from autoful.api import pagination
from autoful.api.answers import (
    ANSWERS,
    ERROR,
    EXAMPLES,
    HEADERS,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    MISSING,
    RETRY_AFTER_IN_PROGRESS,
)
from autoful.api.writes import is_write

TOTALS = ("per_page", "total_pages", "total_items")
BY_NUMBER = inline_serializer(
    "PageByNumber",
    {name: serializers.IntegerField(min_value=0) for name in ("page", *TOTALS)},
)
BY_CURSOR = inline_serializer(
    "PageByCursor",
    {name: serializers.IntegerField(min_value=0) for name in TOTALS}
    | {
        name: serializers.CharField(allow_null=True, help_text=f"Null at the {end} of the list.")
        for name, end in (("next_cursor", "end"), ("previous_cursor", "beginning"))
    },
)
PAGINATION = PolymorphicProxySerializer(
    component_name="Pagination",
    serializers=[BY_NUMBER, BY_CURSOR],
    resource_type_field_name=None,
)
MESSAGE = inline_serializer("Message", {"message": serializers.CharField()})

EXAMPLE_PAGINATION = {"page": 1, "per_page": 10, "total_pages": 1, "total_items": 1}
EXAMPLE_CURSORS = {
    "per_page": 10,
    "total_pages": 12,
    "total_items": 117,
    "next_cursor": "WyI-IiwiaWQiLFsxMF1d.4nJ5ZUJrXo2RzYl0m1bq0w9mG1nIhX8o7sVQd2tL3cE",
    "previous_cursor": None,
}

# A sign-in widens what a public route shows; none is needed.
OPTIONAL_SIGN_IN: Any = [{}, {"token": []}, {"back_office": []}]

Shape = type[serializers.Serializer[Any]]


def by_caller(name: str, *shapes: Shape, many: bool = False) -> Any:
    """One of several shapes, by who asks."""
    return PolymorphicProxySerializer(
        component_name=name,
        serializers=list(shapes),
        resource_type_field_name=None,
        many=many,
    )


def page_of(name: str, key: str, rows: Any, **extra: serializers.Field[Any, Any, Any, Any]) -> Any:
    """A page of rows under `key`."""
    page = inline_serializer(name, {**extra, key: rows, "pagination": PAGINATION})
    set_override(page, "many", False)  # the page is one object, though the action is a list
    return page


def documented(
    summary: str,
    answer: Any,
    example: Any,
    *,
    description: str,
    status: int | Sequence[int] = 200,
    body: Any = None,
    body_example: Any = None,
    public: bool = False,
    paged: bool = False,
    refusals: dict[int, dict[str, Any]] | None = None,
    **more: Any,
) -> Callable[[Any], Any]:
    """One action's page in the documentation: what it does, what goes in, what comes out.

    `public` says that no sign-in is needed, `paged` that an action besides `list` has pages,
    `refusals` holds the bodies of errors that say more than the house's examples.
    """
    statuses = [status] if isinstance(status, int) else list(status)
    answers = {f"{summary}: answer": example}
    if "pagination" in example:
        answers[f"{summary}: answer, by cursor"] = example | {"pagination": EXAMPLE_CURSORS}
    examples = [
        OpenApiExample(name, shown, response_only=True, status_codes=[str(code)])
        for code in statuses
        for name, shown in answers.items()
    ]
    if body_example is not None:
        examples.append(OpenApiExample(f"{summary}: request", body_example, request_only=True))
    if public:
        more["auth"] = OPTIONAL_SIGN_IN
    return extend_schema(
        summary=summary,
        description=description,
        request=body,
        responses={code: OpenApiResponse(answer, description="Done.") for code in statuses},
        examples=examples,
        extensions={
            "x-paged": paged,
            "x-refusals": {str(code): example for code, example in (refusals or {}).items()},
        },
        **more,
    )


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = "autoful.api.authentication.TokenAuthentication"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A token from /customers/login or /mechanics/login; good for an hour.",
        }


class BackOfficeScheme(OpenApiAuthenticationExtension):
    target_class = "autoful.api.authentication.BackOfficeAuthentication"
    name = "back_office"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "sessionid",
            "description": "A signed-in session of the back office. Writes need the CSRF token.",
        }


class TextScheme(OpenApiSerializerFieldExtension):
    """No text holds a NUL; one that is trimmed and needed holds more than white space."""

    target_class = "autoful.api.fields.TextField"
    match_subclasses = True

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer_field(
            self.target, direction, bypass_extensions=True
        )
        patterned = any(isinstance(rule, RegexValidator) for rule in self.target.validators)
        if direction == "request" and not patterned:
            blank = self.target.allow_blank or not self.target.trim_whitespace
            # Python's white space; ECMA's \s lacks the last five.
            some = "" if blank else r"[^\s\u0000\u001c-\u001f\u0085][^\u0000]*"
            schema["pattern"] = rf"^[^\u0000]*{some}$"
        return schema


def one_spelling(endpoints: list[Any], **kwargs: Any) -> list[Any]:
    """Each route once: without /api/v1, without the trailing slash, with the underscore."""
    return [
        (path.rstrip("/?"), pattern, method, view)
        for path, pattern, method, view in endpoints
        if re.match(r"^/(customers|mechanics|service_tickets|inventory)(/|$)", path)
    ]


# What an answer may leave out; everything else in it is always there.
LEFT_OUT = {"warnings"}


def house_answers(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Give every operation what holds for any route: errors, headers, JSON, numbers for ids."""
    components = result["components"]
    for name, schema in components["schemas"].items():
        if "x-one-of" in schema:  # what a field cannot say of its neighbours
            schema["oneOf"] = schema.pop("x-one-of")
        for field in schema.get("properties", {}).values():
            if "oneOf" in field:  # a text or an empty one: an empty one may be both
                field["anyOf"] = field.pop("oneOf")
        if not name.endswith("Request"):
            _answered(schema)
    # The three at the top are no page; they are called one, because their viewset has pages.
    lists = {name for name in components["schemas"] if name.startswith("Paginated")}
    bare = {f"#/components/schemas/{name}": components["schemas"].pop(name) for name in lists}
    components["schemas"]["Error"] = ERROR
    components["headers"] = HEADERS
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            for response in operation["responses"].values():
                answer = response["content"]["application/json"]
                answer["schema"] = bare.get(answer["schema"].get("$ref"), answer["schema"])
            _complete(path, method, operation)
            if body := operation.get("requestBody"):
                name = body["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
                # A body that may leave everything out may be left out, but for a choice.
                body["required"] = not {"required", "oneOf"}.isdisjoint(components["schemas"][name])
    return result


def _answered(schema: dict[str, Any]) -> None:
    """A shape that goes out, as it goes out."""
    # A full ticket is also a valid public one, so "exactly one" would never hold.
    if "oneOf" in schema:
        schema["anyOf"] = schema.pop("oneOf")
    if "properties" in schema:
        schema["required"] = sorted(set(schema["properties"]) - LEFT_OUT)
    for field in schema.get("properties", {}).values():
        if field.get("type") == "integer":
            # What the column could hold differs between databases and is no promise.
            for bound in ("maximum", "format"):
                field.pop(bound, None)


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    if operation.pop("x-paged"):
        operation["parameters"] = [
            *operation.get("parameters", []),
            *pagination.Pages().get_schema_operation_parameters(None),
        ]
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            parameter["schema"] = {"type": "integer", "minimum": 1, "maximum": 10**18 - 1}
        elif method == "get" and operation["operationId"].endswith("_list"):
            # A form's empty field filters by nothing.
            parameter["allowEmptyValue"] = parameter["name"] not in pagination.PARAMETERS
    if _is_write(path, method):
        asked = [IDEMPOTENCY_KEY, IF_MATCH] if "{" in path else [IDEMPOTENCY_KEY]
        operation["parameters"] = [*operation.get("parameters", []), *asked]
    if "requestBody" in operation:
        # Forms are read too, for the browsable API's sake; what clients are promised is JSON.
        content = operation["requestBody"]["content"]
        operation["requestBody"]["content"] = {"application/json": content["application/json"]}
    missing = {"code": "not_found", "message": MISSING[operation["tags"][0]]}
    examples = EXAMPLES | {"404": missing} | operation.pop("x-refusals")
    for code in _codes(path, method, operation):
        operation["responses"].setdefault(code, _error(code, examples.get(code)))
    for code, response in operation["responses"].items():
        names = ["X-Request-ID"]
        names += ["ETag"] if _has_tag(path, method, code) else []
        names += ["Idempotency-Replayed"] if _is_write(path, method) else []
        names += ["Retry-After"] if code in ("429", "503") else []
        names += [name for name in HEADERS if name.startswith("RateLimit")]
        response["headers"] = {n: {"$ref": f"#/components/headers/{n}"} for n in names}
        if code == "409" and _is_write(path, method):
            response["headers"]["Retry-After"] = RETRY_AFTER_IN_PROGRESS


def _is_write(path: str, method: str) -> bool:
    view: Any = resolve(re.sub(r"{\w+}", "1", path)).func
    return is_write(view.cls, view.actions[method], method)


def _has_tag(path: str, method: str, code: str) -> bool:
    shows = method == "get" or (method != "delete" and _is_write(path, method))
    return shows and code in ("200", "201")


def _codes(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    codes = ["400", "401", "403", "406", "411", "413", "429", "503"]
    if method == "get":
        codes.append("304")
    if "{" in path or path == "/service_tickets":
        codes.append("404")  # opening a ticket names its customer in the body
    if method != "get":
        codes += ["409", "415"]
    if _is_write(path, method):
        codes += ["412", "422"]
    return codes


def _error(code: str, example: dict[str, Any] | None) -> dict[str, Any]:
    if code == "304":
        return {"description": ANSWERS[code]}
    content: dict[str, Any] = {"schema": {"$ref": "#/components/schemas/Error"}}
    if example is not None:
        content["example"] = example
    return {"description": ANSWERS[code], "content": {"application/json": content}}
