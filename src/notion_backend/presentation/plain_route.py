"""A route that FastAPI describes and otherwise leaves alone."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response


class PlainRoute(APIRoute):
    """Hands the request to its endpoint as it is, and takes the `Response` as it is.

    For the few routes where solving parameters and filtering the answer would cost as much as the
    work. What the endpoint takes is said in `openapi_extra`, what it answers in `response_model`.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the endpoint."""
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return handler
