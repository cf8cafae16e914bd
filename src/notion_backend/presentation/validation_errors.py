"""From what Pydantic finds in a request to an error that says what to do about it."""

from collections.abc import Mapping

from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers
from starlette.types import Scope

from notion_backend.core import errors
from notion_backend.core.errors import BusinessError, FieldError

_MAX_FIELD_ERRORS = 50
_MAX_FIELD_NAME = 100

_MENDED_BY = {
    "missing": "This field is required.",
    "extra_forbidden": "This field is not known here; leave it out.",
    "model_attributes_type": "Send a JSON object.",
    "int_parsing": "Write a whole number.",
    "int_parsing_size": "Write a smaller number.",
    "int_from_float": "Write a whole number.",
    "string_type": "Write text, in quotation marks.",
    "bool_type": "Write true or false.",
    "uuid_parsing": "Write the id as the list shows it.",
}
"""What to do about what Pydantic finds, where its own words tell only what it saw."""


def error_from_validation(scope: Scope, error: RequestValidationError) -> BusinessError:
    """Return our error for a request that FastAPI could not validate; at most 50 fields of it."""
    found = error.errors()[:_MAX_FIELD_ERRORS]
    if any(each["type"] == "model_attributes_type" for each in found) and not _is_json(scope):
        # Unread for its type, or for want of one.
        return errors.UnsupportedMediaType("Send JSON, with `Content-Type: application/json`.")
    if any(each["type"] == "json_invalid" for each in found):
        return errors.MalformedRequest("The body is not JSON; send one JSON document in UTF-8.")
    return errors.InvalidInput.of(*(_field_error(each["loc"], each) for each in found))


def _is_json(scope: Scope) -> bool:
    media_type = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "application/json" or media_type.endswith("+json")


def _field_error(location: tuple[int | str, ...], found: Mapping[str, object]) -> FieldError:
    kind = str(found["type"])
    code = "required" if kind == "missing" else kind
    message = _MENDED_BY.get(kind) or str(found["msg"]).removeprefix("Value error, ")
    name = ".".join(str(part) for part in location[1:]) or str(location[0])
    # Where unknown keys are refused, the name is the client's own text.
    name = name.encode("ascii", "backslashreplace").decode()[:_MAX_FIELD_NAME]
    return FieldError(name, code, message)
