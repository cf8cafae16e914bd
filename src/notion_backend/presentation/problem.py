"""The one shape of an error answer: `application/problem+json` (RFC 9457), and its description."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

PROBLEM_MEDIA_TYPE = "application/problem+json"
_REFERENCE = {"$ref": "#/components/schemas/Problem"}
_REQUEST_ID_REFERENCE = {"$ref": "#/components/headers/X-Request-ID"}
_REQUEST_ID: dict[str, Any] = {
    "description": "Names the request, here and in the log.",
    "required": True,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{8,64}$"},
}
RETRY_AFTER: dict[str, Any] = {
    "description": "Seconds to wait before the same request can succeed.",
    "required": True,
    "schema": {"type": "integer", "minimum": 1},
}
_CHALLENGE: dict[str, Any] = {
    "description": "What the request has to bring (RFC 6750).",
    "required": True,
    "schema": {"type": "string", "enum": ["Bearer"]},
}
_HEADERS = {
    401: {"WWW-Authenticate": _CHALLENGE},
    429: {"Retry-After": RETRY_AFTER},
    503: {"Retry-After": RETRY_AFTER},
}


class ProblemField(BaseModel):
    """One wrong field of the request."""

    field: str = Field(description="Its name, with dots where it is nested.")
    code: str = Field(description="Stable; what kind of mistake it is.")
    message: str = Field(description="For the person who filled it in.")


class Problem(BaseModel):
    """An error answer."""

    type: str = Field(description="`urn:notion-backend:error:` and the code.")
    title: str
    status: int
    detail: str = Field(description="What to do next.")
    code: str = Field(description="Stable and documented.")
    request_id: str = Field(description="The same as the X-Request-ID header.")
    errors: list[ProblemField]


def problem_type(code: str) -> str:
    """Return the URI that names this kind of problem (RFC 9457 §3.1.1; RFC 8141 for the form)."""
    return f"urn:notion-backend:error:{code}"


BODY_PROBLEMS = (400, 408, 413, 415, 422)
"""What can be wrong with any body that is read."""


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses=` of a route that can answer with these statuses."""
    return {status: _describe(status) for status in sorted(statuses)}


def name_operation(route: APIRoute) -> str:
    """Return the `operationId` of a route: the name of its function, such as `submit_lead`."""
    return route.name


def describe_problems(document: dict[str, Any]) -> dict[str, Any]:
    """Put the schema of `Problem`, and the header that every answer has, into an OpenAPI document.

    FastAPI describes its own shape of a 422 wherever a route names none; ours takes its place.
    """
    document.setdefault("components", {})["headers"] = {"X-Request-ID": _REQUEST_ID}
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(schema.pop("$defs"))
    schemas["Problem"] = schema
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for path in document.get("paths", {}).values():
        for operation in path.values():
            answers = operation.get("responses", {})
            if "application/json" in answers.get("422", {}).get("content", {}):
                answers["422"] = _describe(422)
            for answer in answers.values():
                answer.setdefault("headers", {})["X-Request-ID"] = _REQUEST_ID_REFERENCE
    return document


class DescribedApi(FastAPI):
    """A FastAPI whose OpenAPI document knows the shape of our errors."""

    def openapi(self) -> dict[str, Any]:
        """Return the document, built once."""
        if self.openapi_schema is None:
            self.openapi_schema = describe_problems(super().openapi())
        return self.openapi_schema


def _describe(status: int) -> dict[str, Any]:
    return {
        "description": _DESCRIPTIONS.get(status, "Refused."),
        "headers": dict(_HEADERS.get(status, {})),
        "content": {PROBLEM_MEDIA_TYPE: {"schema": _REFERENCE, "example": _example(status)}},
    }


def _example(status: int) -> dict[str, Any]:
    code, title, detail = _EXAMPLES.get(status, ("error", "Error", "See the documentation."))
    errors = []
    if status == 422:
        errors = [{"field": "email", "code": "required", "message": detail}]
    return {
        "type": problem_type(code),
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": "0192f3c4a5b64d7e8f90a1b2c3d4e5f6",
        "errors": errors,
    }


_DESCRIPTIONS = {
    400: "The request cannot be read.",
    401: "Nobody is signed in, or the token is no longer good.",
    403: "The signed-in user may not do this.",
    404: "There is no such thing.",
    408: "The body arrived too slowly.",
    409: "It contradicts what is stored now.",
    412: "Somebody else changed it meanwhile.",
    413: "More bytes than the limit.",
    415: "A body of another type than this route reads.",
    422: "Some fields are not right; `errors` names them.",
    429: "Too many requests; `Retry-After` says when to come back.",
    503: "A part that is needed is down; `Retry-After` says when to come back.",
}

_EXAMPLES = {
    400: ("bad_request", "The request cannot be read", "Send one whole multipart/form-data body."),
    401: ("not_authenticated", "Sign in first", "Send a bearer token that has not expired."),
    403: ("permission_denied", "Not allowed", "Ask an administrator to do this."),
    404: ("not_found", "Not found", "Check the address."),
    408: ("request_timeout", "Request timeout", "Send the body faster than 1 KiB a second."),
    409: ("conflict", "Conflict", "Read it again, then decide."),
    412: ("changed", "Changed meanwhile", "Read it again, then decide."),
    413: ("too_large", "Too large", "Send a smaller file."),
    415: ("unsupported_media_type", "Unsupported media type", "Send multipart/form-data."),
    422: ("validation", "Some fields are not right", "Fill in your e-mail address."),
    429: ("rate_limited", "Too many requests", "Try again in 30 seconds."),
    503: ("unavailable", "Temporarily unavailable", "Try again in 5 seconds."),
}
