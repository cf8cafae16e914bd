"""Composition root of the web process."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI

from notion_backend import __version__
from notion_backend.application.assembly import (
    Foundations,
    build_postman,
    build_services,
    lay_foundations,
)
from notion_backend.core.config import load_settings
from notion_backend.core.logging import configure_logging
from notion_backend.presentation.api import (
    auth,
    deliveries,
    health,
    leads,
    stats,
    submissions,
    users,
)
from notion_backend.presentation.api_docs import install_api_docs
from notion_backend.presentation.early_refusal import EarlyRefusal
from notion_backend.presentation.errors import install_error_handlers
from notion_backend.presentation.live import LiveStreams
from notion_backend.presentation.metrics import Metrics
from notion_backend.presentation.middleware import add_middleware
from notion_backend.presentation.middleware.admission import submission_lane
from notion_backend.presentation.pages import install_pages
from notion_backend.presentation.pages.rendering import draw_error_page
from notion_backend.presentation.problem import DescribedApi, name_operation
from notion_backend.presentation.rate_limits import RateLimiter

API_PREFIX = "/api/v1"
SUBMISSION_PATH = f"{API_PREFIX}/leads"
FORM_PATHS = ("/", SUBMISSION_PATH)
_DESCRIPTION = "Takes leads with their résumés, tells everybody by mail, and loses neither."


def create_app() -> FastAPI:
    """Build the application of one web process from the environment; the server's factory."""
    settings = load_settings()
    configure_logging(settings.log_format, settings.log_level)
    return build_app(lay_foundations(settings))


def build_app(on: Foundations) -> FastAPI:
    """Build the application on these foundations; it closes them when it shuts down."""
    settings = on.settings
    app = DescribedApi(
        title="Notion Backend",
        version=__version__,
        description=_DESCRIPTION,
        lifespan=_lifespan,
        openapi_url="/openapi.json" if settings.shows_api_docs else None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=name_operation,
        form_limits={"max_fields": 20},
    )
    services = build_services(on)
    app.state.foundations = on
    app.state.settings = settings
    app.state.services = services
    app.state.rate_limiter = RateLimiter(settings.redis_url)
    metrics = app.state.metrics = Metrics(services.deliveries)
    app.state.live_streams = LiveStreams(services.changes)
    submissions_at_work = submission_lane()
    app.state.early_refusal = EarlyRefusal(
        submissions_at_work, path=SUBMISSION_PATH, count=metrics.count_answer
    )
    # Routes are tried in order, so what is asked for most comes first.
    app.include_router(submissions.router, prefix=API_PREFIX)
    app.include_router(leads.plain, prefix=API_PREFIX)
    api = APIRouter(prefix=API_PREFIX)
    for module in (auth, leads, deliveries, stats, users):
        api.include_router(module.router)
    app.include_router(api)
    app.include_router(health.router)
    if settings.shows_api_docs:
        install_api_docs(app)
    install_pages(app)
    install_error_handlers(app, error_page=draw_error_page)
    add_middleware(
        app,
        trusted_proxies=settings.trusted_proxies,
        allowed_hosts=settings.served_hosts,
        allowed_origins=settings.allowed_origins,
        own_body_paths=FORM_PATHS,
        always_answered=health.PATHS,
        submissions=submissions_at_work,
        observe=metrics.observe_request,
    )
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Deliver mail beside the requests where nobody else does; end in the order of the work."""
    on: Foundations = app.state.foundations
    postman = build_postman(on) if on.settings.delivers_in_process else None
    thread = threading.Thread(target=postman.run, name="postman") if postman else None
    if thread:
        thread.start()
    try:
        yield
    finally:
        app.state.services.intake.close()
        if postman and thread:
            postman.stop()
            thread.join()
        await app.state.rate_limiter.close()
        on.close()
