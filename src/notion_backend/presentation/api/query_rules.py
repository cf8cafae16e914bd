"""What holds for every query string."""

from urllib.parse import unquote_to_bytes

from fastapi import Depends, Request

from notion_backend.core.errors import FieldError, InvalidInput, MalformedRequest


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
