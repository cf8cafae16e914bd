"""Sign-ins and users served over a socket, as the whole application serves them."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import httpx
from fastapi import APIRouter

from notion_backend.presentation.api import auth, users
from notion_backend.presentation.errors import install_error_handlers
from notion_backend.presentation.problem import DescribedApi
from notion_backend.presentation.rate_limits import RateLimiter
from tests.accounts import AccountKit
from tests.server.serving import serving


def accounts_app(kit: AccountKit) -> DescribedApi:
    app = DescribedApi(redirect_slashes=False)
    api = APIRouter(prefix="/api/v1")
    api.include_router(auth.router)
    api.include_router(users.router)
    app.include_router(api)
    install_error_handlers(app)
    app.state.settings = kit.settings
    app.state.rate_limiter = RateLimiter()
    app.state.services = SimpleNamespace(auth=kit.auth, passwords=kit.passwords, users=kit.users)
    return app


@contextmanager
def served(kit: AccountKit) -> Iterator[httpx.Client]:
    """Serve these accounts, and lend a client whose addresses start behind `/api/v1`."""
    with (
        serving(lambda: accounts_app(kit)) as running,
        httpx.Client(
            base_url=f"http://127.0.0.1:{running.port}/api/v1", trust_env=False, timeout=20
        ) as client,
    ):
        yield client
