"""An error as bytes for the network, where no application is asked."""

from http import HTTPStatus

from notion_backend.core.errors import BusinessError
from notion_backend.presentation.errors import headers_of, problem_of
from notion_backend.presentation.middleware.security_headers import DEFAULTS
from notion_backend.presentation.problem import PROBLEM_MEDIA_TYPE


def raw_answer(error: BusinessError, request_id: str, *, keep_alive: bool) -> bytes:
    """Return the HTTP/1.1 answer to `error`, with the headers that every answer of ours has."""
    problem = problem_of(error, request_id)
    body = problem.model_dump_json().encode()
    headers = {
        "content-type": PROBLEM_MEDIA_TYPE,
        "content-length": str(len(body)),
        "x-request-id": request_id,
        **{name.lower(): value for name, value in headers_of(error).items()},
        **{name.decode(): value.decode() for name, value in DEFAULTS},
        **({} if keep_alive else {"connection": "close"}),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    status = f"HTTP/1.1 {problem.status} {HTTPStatus(problem.status).phrase}\r\n"
    return f"{status}{head}\r\n".encode() + body
