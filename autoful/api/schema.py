"""What the OpenAPI schema says of every route alike, and the words with which routes describe themselves."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
    inline_serializer,
)
from rest_framework import serializers

PAGINATION = inline_serializer(
    "Pagination",
    {
        name: serializers.IntegerField(min_value=0)
        for name in ("page", "per_page", "total_pages", "total_items")
    },
)
MESSAGE = inline_serializer("Message", {"message": serializers.CharField()})

EXAMPLE_PAGINATION = {"page": 1, "per_page": 10, "total_pages": 1, "total_items": 1}

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
    return inline_serializer(name, {**extra, key: rows, "pagination": PAGINATION})


def documented(
    summary: str,
    answer: Any,
    example: Any,
    *,
    status: int | Sequence[int] = 200,
    body: Any = None,
    body_example: Any = None,
    **more: Any,
) -> Callable[[Any], Any]:
    """One action's page in the documentation: what it does, what goes in, what comes out."""
    statuses = [status] if isinstance(status, int) else list(status)
    examples = [
        OpenApiExample(f"{summary}: answer", example, response_only=True, status_codes=[str(code)])
        for code in statuses
    ]
    if body_example is not None:
        examples.append(OpenApiExample(f"{summary}: request", body_example, request_only=True))
    return extend_schema(
        summary=summary,
        request=body,
        responses={code: OpenApiResponse(answer, description="Done.") for code in statuses},
        examples=examples,
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


def one_spelling(endpoints: list[Any], **kwargs: Any) -> list[Any]:
    """Each route once: without /api/v1, without the trailing slash, with the underscore."""
    return [
        (path.rstrip("/?"), pattern, method, view)
        for path, pattern, method, view in endpoints
        if re.match(r"^/(customers|mechanics|service_tickets|inventory)(/|$)", path)
    ]


ERROR = {
    "type": "object",
    "description": "Every error: a stable code, a sentence for a person, and the facts.",
    "properties": {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "fields": {
            "type": "object",
            "description": "With the code `invalid`: what is wrong with each field.",
            "additionalProperties": {},
        },
    },
    "required": ["code", "message"],
    "additionalProperties": {},
}
ANSWERS = {
    "304": "Not changed since the ETag in If-None-Match.",
    "400": "The request cannot be honoured as it stands.",
    "401": "No token, or one that is not good.",
    "403": "A good token that may not do this.",
    "404": "Not there.",
    "406": "No such representation.",
    "409": "Somebody else got there first.",
    "413": "The body is too large.",
    "415": "Not JSON.",
    "429": "Too many requests; Retry-After says when to come back.",
    "503": "The database cannot answer now; Retry-After says when to try again.",
}
EXAMPLES = {
    "400": {
        "code": "invalid",
        "message": "The request is not valid: email.",
        "fields": {"email": ["Enter a valid email address."]},
    },
    "401": {
        "code": "not_authenticated",
        "message": "Sign in first: this needs a token.",
    },
    "403": {"code": "permission_denied", "message": "You may not do this."},
    "404": {"code": "not_found", "message": "Service Ticket not found."},
    "429": {
        "code": "too_many_requests",
        "message": "Too many requests. Try again in 41 seconds.",
        "retry_after": 41,
    },
}


def house_answers(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Give every operation the errors any route can answer, and read `oneOf` as `anyOf`.

    A full ticket is also a valid public one, so "exactly one" would never hold.
    """
    schemas = result["components"]["schemas"]
    for schema in schemas.values():
        _any_of(schema)
    schemas["Error"] = ERROR
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            _any_of(operation)
            for code in _codes(path, method, operation):
                operation["responses"].setdefault(code, _error(code))
    return result


def _codes(path: str, method: str, operation: dict[str, Any]) -> list[str]:
    codes = ["400", "401", "403", "406", "413", "429", "503"]
    if method == "get":
        codes.append("304")
    if "{" in path or "requestBody" in operation:
        codes.append("404")
    if method != "get":
        codes += ["409", "415"]
    return codes


def _error(code: str) -> dict[str, Any]:
    if code == "304":
        return {"description": ANSWERS[code]}
    content: dict[str, Any] = {"schema": {"$ref": "#/components/schemas/Error"}}
    if code in EXAMPLES:
        content["example"] = EXAMPLES[code]
    return {"description": ANSWERS[code], "content": {"application/json": content}}


def _any_of(node: Any) -> None:
    if isinstance(node, dict):
        if "oneOf" in node:
            node["anyOf"] = node.pop("oneOf")
        for value in node.values():
            _any_of(value)
    elif isinstance(node, list):
        for value in node:
            _any_of(value)
