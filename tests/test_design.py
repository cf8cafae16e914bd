"""The design document, word by word: what it names is there, and some test uses it."""

import re
from pathlib import Path

import pytest

from notion_backend.app import build_app
from notion_backend.application.assembly import lay_foundations
from notion_backend.core.config import Settings
from notion_backend.core.enums import LeadState, Role

ROUTES = [
    "POST /api/v1/leads",
    "GET /api/v1/leads",
    "GET /api/v1/leads/export",
    "GET /api/v1/leads/{lead_id}",
    "PATCH /api/v1/leads/{lead_id}",
    "DELETE /api/v1/leads/{lead_id}",
    "GET /api/v1/leads/{lead_id}/resume",
    "GET /api/v1/leads/{lead_id}/events",
    "GET /api/v1/leads/{lead_id}/deliveries",
    "GET /api/v1/deliveries",
    "POST /api/v1/deliveries/retry",
    "POST /api/v1/deliveries/{delivery_id}/retry",
    "GET /api/v1/stats",
    "POST /api/v1/auth/token",
    "POST /api/v1/auth/logout",
    "POST /api/v1/auth/password-reset",
    "POST /api/v1/auth/password-reset/confirm",
    "GET /api/v1/users/me",
    "PUT /api/v1/users/me/password",
    "GET /api/v1/users",
    "POST /api/v1/users",
    "GET /api/v1/users/{user_id}",
    "PATCH /api/v1/users/{user_id}",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
]

SETTINGS = [
    "ENVIRONMENT",
    "DATA_DIR",
    "DATABASE_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "PUBLIC_URL",
    "ADMIN_USERNAME",
    "ADMIN_EMAIL",
    "ADMIN_PASSWORD",
    "SMTP_HOST",
    "SMTP_PORT",
    "SMTP_USERNAME",
    "SMTP_PASSWORD",
    "SMTP_SECURITY",
    "MAIL_FROM",
    "MAIL_REPLY_TO",
    "STAFF_EMAILS",
    "BRAND_NAME",
    "BRAND_COLOR",
    "BRAND_LOGO",
    "FORM_TITLE",
    "FORM_TEXT",
    "PRIVACY_URL",
    "DEFAULT_LANGUAGE",
    "TEMPLATES_DIR",
    "AUTO_MIGRATE",
    "SECRETS_DIR",
    "ACCESS_TOKEN_MINUTES",
    "REFRESH_TOKEN_DAYS",
    "ARGON2_MEMORY_KIB",
    "ARGON2_PASSES",
    "ARGON2_LANES",
    "MAX_RESUME_BYTES",
    "RESUME_STORE",
    "INTAKE_RATE_LIMIT",
    "LOGIN_RATE_LIMIT",
    "PROSPECT_MAIL_LIMIT",
    "FORM_MIN_SECONDS",
    "FORM_PROOF_OF_WORK",
    "EMBED_ORIGINS",
    "TRUSTED_PROXIES",
    "ALLOWED_HOSTS",
    "ALLOWED_ORIGINS",
    "API_DOCS",
    "METRICS_TOKEN",
    "LOG_FORMAT",
    "LOG_LEVEL",
]

TESTS = Path(__file__).parent


@pytest.fixture(scope="module")
def tests_text() -> str:
    """All tests but this one."""
    files = [file for file in TESTS.rglob("*.py") if file != Path(__file__)]
    return "\n".join(file.read_text("utf-8") for file in files)


def test_the_states_and_roles_are_those_of_the_design() -> None:
    assert [state.value for state in LeadState] == ["PENDING", "REACHED_OUT"]
    assert [role.value for role in Role] == ["admin", "staff"]


def test_every_route_is_described_and_there_is_no_other(tmp_path: Path) -> None:
    foundations = lay_foundations(Settings(data_dir=tmp_path))
    app = build_app(foundations)
    described = {
        f"{method.upper()} {path}"
        for path, operations in app.openapi()["paths"].items()
        for method in operations
    }
    app.state.services.intake.close()
    foundations.close()
    assert described == set(ROUTES)


def test_every_setting_is_read_and_there_is_no_other() -> None:
    assert {name.upper() for name in Settings.model_fields} == set(SETTINGS)


@pytest.mark.parametrize("route", ROUTES)
def test_some_test_calls_the_route(route: str, tests_text: str) -> None:
    path = route.partition(" ")[2].removeprefix("/api/v1")
    called = re.sub(r"\\\{\w+\\\}", r"(\\{.+?\\}|\\d+|[\\w-]+)", re.escape(path))
    assert re.search(rf"[\"'v]1?{called}[\"'?]", tests_text), route


@pytest.mark.parametrize("setting", SETTINGS)
def test_some_test_sets_the_setting(setting: str, tests_text: str) -> None:
    assert re.search(rf"\b({setting}|{setting.lower()})\b", tests_text), setting
