"""For machines: is it alive, is it ready, how is it doing."""

import hmac
from ipaddress import ip_address
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict, Field

from notion_backend.application.health import Readiness
from notion_backend.core.config import Settings
from notion_backend.core.errors import NotAuthenticated
from notion_backend.presentation.dependencies import ServicesDep, SettingsDep
from notion_backend.presentation.intake_requests import client_address
from notion_backend.presentation.metrics import Metrics
from notion_backend.presentation.problem import RETRY_AFTER, problem_responses

router = APIRouter(tags=["Machines"])
PATHS = ("/healthz", "/readyz", "/metrics")


class AliveOut(BaseModel):
    """The process answers."""

    status: Literal["ok"] = Field(default="ok", examples=["ok"])


class ReadyOut(BaseModel):
    """Whether the service can do its work, and each part of it."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "example": {
                "status": "ok",
                "parts": {"database": "ok", "queue": "ok", "mail": "ok", "worker": "ok"},
            }
        },
    )

    status: Readiness
    parts: dict[str, str]


@router.get("/healthz", summary="Alive", response_model=AliveOut)
async def is_alive() -> Any:
    """Answer while the process lives, whatever the state of its parts."""
    return AliveOut()


@router.get(
    "/readyz",
    summary="Ready",
    response_model=ReadyOut,
    responses={
        503: {
            "model": ReadyOut,
            "description": "A part fails without which nothing works.",
            "headers": {"Retry-After": RETRY_AFTER},
        }
    },
)
def is_ready(response: Response, services: ServicesDep) -> Any:
    """Look at each part: 200 when leads can be taken, `degraded` when mail may be late."""
    report = services.health.report()
    if report.status is Readiness.FAILING:
        response.status_code = 503
        response.headers["Retry-After"] = "5"
    return report


@router.get(
    "/metrics",
    summary="Figures",
    response_class=Response,
    responses={
        200: {"content": {CONTENT_TYPE_LATEST: {"schema": {"type": "string"}}}},
        **problem_responses(401),
    },
)
def read_metrics(request: Request, settings: SettingsDep) -> Response:
    """Return figures for Prometheus; in production to loopback or the bearer of METRICS_TOKEN."""
    if settings.in_production and not _may_scrape(request, settings):
        raise NotAuthenticated("Send the METRICS_TOKEN as a bearer token.")
    figures: Metrics = request.app.state.metrics
    return Response(figures.render(), media_type=CONTENT_TYPE_LATEST)


def _may_scrape(request: Request, settings: Settings) -> bool:
    token = settings.metrics_token.get_secret_value()
    if token:
        given = request.headers.get("authorization", "").encode()
        if hmac.compare_digest(given, f"Bearer {token}".encode()):
            return True
    try:
        return ip_address(client_address(request)).is_loopback
    except ValueError:
        return False
