"""What any route can answer besides what it is for, in OpenAPI's words."""

from typing import Any

WHOLE = {"type": "integer", "minimum": 0}
HEADERS: dict[str, dict[str, Any]] = {
    "X-Request-ID": {
        "description": "Names this request in the shop's log and audit trail. Begins with the id that you "
        "sent in this header, if you did.",
        "required": True,
        "schema": {"type": "string"},
    },
    "ETag": {
        "description": "Send it as If-None-Match to get a 304 while nothing has changed; of a "
        "single row, as If-Match to change it only if nobody else has.",
        "required": True,
        "schema": {"type": "string"},
    },
    "Idempotency-Replayed": {
        "description": "`true`: this was done before under the same Idempotency-Key, and this is "
        "the answer it had.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Retry-After": {
        "description": "Seconds until it is worth trying again.",
        "required": True,
        "schema": WHOLE,
    },
    "RateLimit-Limit": {
        "description": "Calls allowed by the limit that is nearest. Not sent when limits are off.",
        "schema": WHOLE,
    },
    "RateLimit-Remaining": {"description": "Calls left of it.", "schema": WHOLE},
    "RateLimit-Reset": {"description": "Seconds until it starts again.", "schema": WHOLE},
}
# Of the several errors that are a 409, one has it.
RETRY_AFTER_IN_PROGRESS = HEADERS["Retry-After"] | {
    "description": "With the code `request_in_progress`: seconds until it is worth asking again.",
    "required": False,
}
IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": "Makes it safe to ask again when no answer came: for 24 hours the same request "
    "with the same key takes effect once and gets the same answer. A random name, such as a UUID, "
    "new for each thing you want done. A request whose body was not valid leaves its key unused. "
    "What is no key is a 400 with the code `invalid_idempotency_key`.",
    "schema": {"type": "string", "maxLength": 255, "pattern": "^[ -~]*[!-~][ -~]*$"},
    "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
}
IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "description": "The ETag you read: nothing is changed if somebody else has changed the row "
    "since. What counts is the version in it, so a weak one (`W/`) will do; `*` is any.",
    "schema": {"type": "string"},
    "example": '"17-3f2a9c04d1e8b756"',
}
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
    "409": "Somebody else got there first, or the same request is still being worked on. With the "
    "code `answer_erased`: it was done, and what it answered was erased with the account.",
    "411": "The body came without a Content-Length.",
    "412": "The row is not what If-Match names any more. Nothing was changed.",
    "413": "The body is too large.",
    "415": "Not JSON.",
    "422": "The Idempotency-Key was used for another request. Nothing was changed.",
    "429": "Too many requests; Retry-After says when to come back.",
    "503": "The database cannot answer now; Retry-After says when to try again.",
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "400": {
        "code": "invalid",
        "message": "The request is not valid: page.",
        "fields": {"page": ["A whole number from 1 is needed."]},
    },
    "401": {
        "code": "not_authenticated",
        "message": "Sign in first: this needs a token.",
    },
    "403": {"code": "permission_denied", "message": "You may not do this."},
    "409": {
        "code": "request_in_progress",
        "message": "The same request is being worked on. Ask again soon.",
        "retry_after": 1,
    },
    "412": {
        "code": "precondition_failed",
        "message": "This was changed since you read it. Read it again, then change it.",
    },
    "422": {
        "code": "idempotency_key_reused",
        "message": "This key was used for another request. Take a new key for a new request.",
    },
    "429": {
        "code": "too_many_requests",
        "message": "Too many requests. Try again in 41 seconds.",
        "retry_after": 41,
    },
}
MISSING = {
    "customers": "Customer not found.",
    "mechanics": "Mechanic not found.",
    "service_tickets": "Service Ticket not found.",
    "inventory": "Inventory part not found.",
}
