"""What machines ask: alive, ready, figures."""

from collections.abc import Callable

import httpx

from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer
from tests.servers.service import Service
from tests.service.client import SETTINGS, Client
from tests.waiting import wait_until


def get(service: Service, path: str, **headers: str) -> httpx.Response:
    return httpx.get(f"{service.base_url}{path}", headers=headers, trust_env=False, timeout=20)


def parts(service: Service) -> dict[str, str]:
    return dict(get(service, "/readyz").json()["parts"])


def test_embedded_everything_is_ready_and_counted(start_service: Callable[..., Service]) -> None:
    service = start_service(**SETTINGS, STAFF_EMAILS="desk@firm.example")
    wait_until(lambda: get(service, "/readyz").json()["status"] == "ok")
    assert set(parts(service).values()) == {"ok"}
    client = Client(service)
    assert client.submit().status_code == 201
    wait_until(client.all_sent)

    figures = get(service, "/metrics").text

    assert 'notion_deliveries{status="SENT"} 2.0' in figures
    assert "notion_leads_total 1.0" in figures
    assert 'notion_http_requests_total{method="POST",status="201"} 1.0' in figures
    assert "notion_mail_stopped 0.0" in figures


def test_a_redis_that_is_away_and_no_worker_are_a_degradation_and_leads_still_come(
    start_service: Callable[..., Service], redis_server: RedisServer
) -> None:
    service = start_service(**SETTINGS, REDIS_URL=redis_server.url)
    assert "notion-backend worker" in parts(service)["worker"]
    redis_server.kill()
    wait_until(lambda: parts(service)["queue"] != "ok")

    answer = get(service, "/readyz")

    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert Client(service).submit().status_code == 201


def test_without_its_database_the_service_fails_openly_and_comes_back_by_itself(
    start_service: Callable[..., Service], postgres_server: PostgresServer
) -> None:
    service = start_service(**SETTINGS, DATABASE_URL=postgres_server.url)
    client = Client(service)
    assert client.submit().status_code == 201
    postgres_server.kill()

    answer = get(service, "/readyz")
    assert answer.status_code == 503
    assert answer.json()["status"] == "failing"
    assert "database" in answer.json()["parts"]
    assert get(service, "/healthz").status_code == 200
    refused = client.submit()
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.json()["code"] == "unavailable"

    postgres_server.start()
    wait_until(lambda: client.submit().status_code == 201)
    assert len(list(client.items("/leads"))) == 2


PRODUCTION = {
    "ENVIRONMENT": "production",
    "ARGON2_MEMORY_KIB": "65536",
    "ARGON2_PASSES": "3",
    "SECRET_KEY": "wq7Zk2LmX9vB4nTc8RjP1sYd6HgF3aEu",
    "PUBLIC_URL": "https://leads.firm.example",
    "SMTP_HOST": "127.0.0.1",
    "ADMIN_EMAIL": "admin@firm.example",
    "MAIL_FROM": "no-reply@firm.example",
    "METRICS_TOKEN": "figures for the watchman",
    "TRUSTED_PROXIES": "127.0.0.1",
}


def test_in_production_figures_are_for_loopback_and_the_bearer_of_the_token(
    start_service: Callable[..., Service],
) -> None:
    service = start_service(**SETTINGS | PRODUCTION)
    away = {"X-Forwarded-For": "203.0.113.9"}
    for headers, status in (
        (away, 401),
        (away | {"Authorization": "Bearer wrong"}, 401),
        (away | {"Authorization": "Bearer figures for the watchman"}, 200),
        ({}, 200),
    ):
        assert get(service, "/metrics", **headers).status_code == status
    for closed in ("/docs", "/redoc", "/openapi.json"):
        assert get(service, closed).status_code == 404
