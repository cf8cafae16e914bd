"""What every request passes before it reaches a route: pure ASGI, in the one order given here."""

from collections.abc import Collection, Sequence

from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware

from notion_backend.presentation.middleware.admission import Admission, Lane
from notion_backend.presentation.middleware.allowed_hosts import AllowedHosts
from notion_backend.presentation.middleware.body_guard import BodyGuard
from notion_backend.presentation.middleware.client_address import ClientAddress
from notion_backend.presentation.middleware.defects import Defects
from notion_backend.presentation.middleware.request_context import Observer, RequestContext
from notion_backend.presentation.middleware.security_headers import SecurityHeaders

_ALLOWED_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_ALLOWED_HEADERS = ("Authorization", "Content-Type", "Idempotency-Key", "If-Match", "X-Request-ID")
_EXPOSED_HEADERS = (
    "Content-Disposition", "ETag", "Idempotent-Replayed", "Retry-After", "X-Request-ID",
)  # fmt: skip


def add_middleware(
    app: Starlette,
    *,
    trusted_proxies: Sequence[str],
    allowed_hosts: Sequence[str],
    allowed_origins: Sequence[str],
    own_body_paths: Collection[str],
    always_answered: Collection[str],
    submissions: Lane,
    observe: Observer,
) -> None:
    """Wrap `app` in all of them, from the outermost inwards.

    1. RequestContext: names the request, logs it and tells `observe` of it.
    2. ClientAddress: who is asking, before anything is decided or logged by it.
    3. SecurityHeaders: on every answer, the refusals of the following included.
    4. AllowedHosts: another site's name is refused before any body is read.
    5. CORS, only where origins are allowed.
    6. Admission: who comes when too much is at work is refused before anything is done for it; a
       POST to one of `own_body_paths` is one of the `submissions`, `always_answered` are paths.
    7. Defects: a 500 for what nothing else answered.
    8. BodyGuard: how large and how slow a body may be; a POST to one of `own_body_paths` has its
       own limit on size.
    """
    app.add_middleware(BodyGuard, own_body_paths=own_body_paths)
    app.add_middleware(Defects)
    app.add_middleware(
        Admission,
        submission_paths=own_body_paths,
        always_answered=always_answered,
        submissions=submissions,
    )
    if allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=allowed_origins,
            allow_methods=_ALLOWED_METHODS,
            allow_headers=_ALLOWED_HEADERS,
            expose_headers=_EXPOSED_HEADERS,
        )
    app.add_middleware(AllowedHosts, allowed=allowed_hosts)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(ClientAddress, trusted_proxies=trusted_proxies)
    app.add_middleware(RequestContext, observe=observe)
