"""The one map from an error to an HTTP answer.

JSON as `application/problem+json` (RFC 9457); pages, and every client outside `/api/` that takes
`text/html`, get HTML. Nothing that the client sent is ever repeated.
"""

import traceback
from collections.abc import Callable, Mapping
from html import escape
from http import HTTPStatus

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Scope

from notion_backend.core import errors
from notion_backend.core.errors import BusinessError
from notion_backend.core.languages import Language, in_language
from notion_backend.core.sentences import say
from notion_backend.presentation.allowed_methods import allowed_methods
from notion_backend.presentation.content_security import PAGE_POLICY, PUBLIC_POLICY, embeddable
from notion_backend.presentation.page_language import page_language
from notion_backend.presentation.problem import (
    PROBLEM_MEDIA_TYPE,
    Problem,
    ProblemField,
    problem_type,
)
from notion_backend.presentation.validation_errors import error_from_validation

ErrorPage = Callable[[Request, Problem], str]
"""Draws an error as a page: the request and the problem in, HTML out."""

CLIENT_CLOSED_REQUEST = 499
"""For the log only: the client went away before it was answered."""

_PAGES = ("/console", "/thanks/")
_DEFAULT_RETRY_SECONDS = 5

_log = structlog.get_logger(__name__)


class RequestTimeout(BusinessError):
    """The body arrived too slowly (RFC 9110 §15.5.9)."""

    code = "request_timeout"
    title = "Request timeout"


class HeadersTooLarge(BusinessError):
    """The header section is too long (RFC 6585 §5)."""

    code = "headers_too_large"
    title = "Headers too large"


class AddressTooLong(BusinessError):
    """The request's address is too long (RFC 9110 §15.5.15)."""

    code = "address_too_long"
    title = "Address too long"


STATUS_OF: Mapping[type[BusinessError], HTTPStatus] = {
    errors.InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.MalformedRequest: HTTPStatus.BAD_REQUEST,
    errors.UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.NotAuthenticated: HTTPStatus.UNAUTHORIZED,
    errors.PermissionDenied: HTTPStatus.FORBIDDEN,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.ChangedMeanwhile: HTTPStatus.PRECONDITION_FAILED,
    errors.RateLimited: HTTPStatus.TOO_MANY_REQUESTS,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    RequestTimeout: HTTPStatus.REQUEST_TIMEOUT,
    HeadersTooLarge: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    AddressTooLong: HTTPStatus.REQUEST_URI_TOO_LONG,
}

_HTTP_ERRORS = {
    400: ("bad_request", "The request cannot be read", "Check how the request is built."),
    401: ("not_authenticated", "Sign in first", "Send a bearer token that has not expired."),
    403: ("permission_denied", "Not allowed", "Ask an administrator to do this."),
    404: ("not_found", "Not found", "There is nothing at this address; check it."),
    405: ("method_not_allowed", "Method not allowed", "Use a method that Allow names."),
    413: ("too_large", "Too large", "Send fewer bytes."),
    416: ("range_not_satisfiable", "Range not satisfiable", "Ask for the whole file."),
}


def install_error_handlers(app: FastAPI, *, error_page: ErrorPage | None = None) -> None:
    """Answer every error that routes and dependencies of `app` raise in our shape.

    What no handler here takes is a defect; `middleware.defects` answers it with a 500.
    """
    app.state.error_page = error_page
    for kind in (BusinessError, RequestValidationError, HTTPException, ClientDisconnect):
        app.add_exception_handler(kind, _handle)


def response_to(scope: Scope, error: Exception) -> Response:
    """Build the answer to `error` for the request of `scope`; log it if it is a defect of ours."""
    match error:
        case BusinessError():
            return _business_error(scope, error)
        case RequestValidationError():
            return _business_error(scope, error_from_validation(scope, error))
        case HTTPException():
            return _http_error(scope, error)
        case ClientDisconnect():
            return Response(status_code=CLIENT_CLOSED_REQUEST)
        case _:
            return _defect(scope, error)


def problem_of(
    error: BusinessError, request_id: str, language: Language = Language.ENGLISH
) -> Problem:
    """Describe a business error as the body of its answer."""
    status = next(STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF)
    fields = [
        ProblemField(field=e.field, code=e.code, message=in_language(language, e.message))
        for e in error.errors
    ]
    return _problem(status, error.reason, error.title, error.detail, request_id, language, fields)


def headers_of(error: BusinessError) -> dict[str, str]:
    """Return the headers that the answer to a business error carries."""
    headers = {}
    retry_after = error.retry_after
    if retry_after is None and isinstance(error, errors.RateLimited | errors.Unavailable):
        retry_after = _DEFAULT_RETRY_SECONDS
    if retry_after is not None:
        headers["Retry-After"] = str(max(1, retry_after))
    if isinstance(error, errors.NotAuthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, RequestTimeout):
        headers["Connection"] = "close"
    return headers


def request_id_of(scope: Scope) -> str:
    """Return the name of this request; empty where nothing has named it."""
    return str(scope.get("state", {}).get("request_id", ""))


def is_console(path: str) -> bool:
    """Tell whether staff look there; everything else is for strangers."""
    return path == "/console" or path.startswith("/console/")


async def _handle(request: Request, error: Exception) -> Response:
    return response_to(request.scope, error)


def _business_error(scope: Scope, error: BusinessError) -> Response:
    problem = problem_of(error, request_id_of(scope), _language(scope))
    return _render(scope, problem, headers_of(error))


def _http_error(scope: Scope, error: HTTPException) -> Response:
    status = error.status_code
    if status < HTTPStatus.BAD_REQUEST:
        return Response(status_code=status, headers=error.headers)
    code, title, detail = _HTTP_ERRORS.get(status) or _by_phrase(status)
    problem = _problem(status, code, title, detail, request_id_of(scope), _language(scope))
    headers = error.headers
    if status == HTTPStatus.METHOD_NOT_ALLOWED and (allowed := allowed_methods(scope)):
        headers = {"Allow": allowed}
    return _render(scope, problem, headers)


def _by_phrase(status: int) -> tuple[str, str, str]:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Error"
    code = phrase.lower().replace(" ", "_").replace("-", "_").replace("'", "")
    return code, phrase, "Check how the request is built."


def _defect(scope: Scope, error: Exception) -> Response:
    # The message of an exception may hold what the client sent, so only its place is logged.
    _log.error("unexpected_error", error=type(error).__name__, frames=_frames(error))
    detail = say("It is our mistake. Try again later; if it stays, tell us the request id.")
    title = say("Internal error")
    problem = _problem(500, "internal", title, detail, request_id_of(scope), _language(scope))
    return _render(scope, problem)


def _frames(error: BaseException) -> list[str]:
    lines = []
    cause: BaseException | None = error
    while cause is not None:
        lines.append(type(cause).__qualname__)
        for frame in traceback.extract_tb(cause.__traceback__):
            lines.append(f"{frame.filename}:{frame.lineno} {frame.name}")  # noqa: PERF401
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    return lines


def _problem(
    status: int,
    code: str,
    title: str,
    detail: str,
    request_id: str,
    language: Language,
    fields: list[ProblemField] | None = None,
) -> Problem:
    return Problem(
        type=problem_type(code),
        title=in_language(language, title),
        status=status,
        detail=in_language(language, detail),
        code=code,
        request_id=request_id,
        errors=fields or [],
    )


def _render(scope: Scope, problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    if _wants_page(scope):
        app = scope.get("app")
        draw: ErrorPage = getattr(getattr(app, "state", None), "error_page", None) or _plain_page
        page = draw(Request(scope), problem)
        headers = {"Content-Security-Policy": _policy(scope), **(headers or {})}
        return HTMLResponse(page, status_code=problem.status, headers=headers)
    return JSONResponse(
        problem.model_dump(),
        status_code=problem.status,
        headers=headers,
        media_type=PROBLEM_MEDIA_TYPE,
    )


def _policy(scope: Scope) -> str:
    """Return the policy of an error page: where the public page may be framed, so may its error."""
    settings = getattr(getattr(scope.get("app"), "state", None), "settings", None)
    path: str = scope["path"]
    if settings is None or is_console(path):
        return PAGE_POLICY
    is_framed = path == "/" or path.startswith("/thanks/")
    return embeddable(PUBLIC_POLICY, settings.embed_origins if is_framed else ())


def _wants_page(scope: Scope) -> bool:
    path: str = scope["path"]
    if path.startswith("/api/"):
        return False
    if path == "/" or path.startswith(_PAGES):
        return True
    return any(
        name == b"accept" and b"text/html" in value.lower() for name, value in scope["headers"]
    )


def _language(scope: Scope) -> Language:
    """Return the language that an error is told in: a page's own; the API always speaks English."""
    has_settings = hasattr(getattr(scope.get("app"), "state", None), "settings")
    return (
        page_language(Request(scope)) if has_settings and _wants_page(scope) else Language.ENGLISH
    )


def _plain_page(_request: Request, problem: Problem) -> str:
    title, detail = escape(problem.title), escape(problem.detail)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<h1>{title}</h1><p>{detail}</p><p><small>{escape(problem.request_id)}</small></p></html>"
    )
