"""Two viewers of the API's description, with scripts of our own and none of a CDN."""

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from notion_backend.presentation.content_security import API_DOCS_POLICY
from notion_backend.presentation.pages.rendering import page


def install_api_docs(app: FastAPI) -> None:
    """Serve `/docs` and `/redoc` over the document at the `openapi_url` of `app`."""
    app.add_api_route("/docs", _swagger, include_in_schema=False)
    app.add_api_route("/redoc", _redoc, include_in_schema=False)


def _swagger(request: Request) -> Response:
    return _viewer(request, "api/swagger.html")


def _redoc(request: Request) -> Response:
    return _viewer(request, "api/redoc.html")


def _viewer(request: Request, template: str) -> Response:
    app: FastAPI = request.app
    return page(request, template, {"document": app.openapi_url}, policy=API_DOCS_POLICY)
