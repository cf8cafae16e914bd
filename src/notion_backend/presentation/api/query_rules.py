"""What holds for every query string, and how a plain route reads and describes its own."""

from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from notion_backend.core.errors import FieldError, InvalidInput, MalformedRequest

Parameters = TypeVar("Parameters", bound=BaseModel)


async def check_query(request: Request) -> None:
    """Refuse what would be read otherwise than it was meant (ASVS V15.3.7).

    Raises:
        MalformedRequest: it is not percent-encoded UTF-8.
        InvalidInput: a parameter comes twice.
    """
    raw: bytes = request.scope["query_string"]
    try:
        raw.decode("ascii")
        unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise MalformedRequest("Send the query string percent-encoded, in UTF-8.") from None
    names = [name for name, _ in request.query_params.multi_items()]
    if len(set(names)) < len(names):
        raise InvalidInput.of(FieldError("query", "repeated", "Send each parameter once."))


CheckedQuery = Depends(check_query)


def read_query(request: Request, model: type[Parameters]) -> Parameters:
    """Read the parameters of a plain route; those that `model` does not know are ignored.

    Raises:
        RequestValidationError: naming every parameter that breaks a rule.
    """
    try:
        return model.model_validate(dict(request.query_params))
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        raise RequestValidationError(
            [{**one, "loc": ("query", *one["loc"])} for one in found]
        ) from error


def described_query(model: type[BaseModel]) -> list[dict[str, Any]]:
    """Describe the parameters of a plain route as FastAPI would (OpenAPI 3.1, Parameter Object)."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": parameter.get("description", ""),
            "schema": parameter,
        }
        for name, parameter in schema["properties"].items()
    ]
