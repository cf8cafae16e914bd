"""Which methods an address serves."""

from starlette.routing import Match
from starlette.types import Scope

_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


def allowed_methods(scope: Scope) -> str:
    """Return all methods of all routes at this address, for `Allow` (RFC 9110 §10.2.1).

    The router names those of the first route alone. Empty where no route of the application itself
    is there, as under a mounted folder.
    """
    routes = scope["app"].router.routes
    address = {"type": "http", "path": scope["path"], "root_path": scope.get("root_path", "")}
    return ", ".join(
        method
        for method in _METHODS
        if any(route.matches({**address, "method": method})[0] is Match.FULL for route in routes)
    )
