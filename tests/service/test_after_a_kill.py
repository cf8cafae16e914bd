"""What was acknowledged survives SIGKILL, and so do its mails."""

from collections.abc import Callable

import pytest

from tests.servers.redis import RedisServer
from tests.servers.service import Service, Worker
from tests.servers.smtp_sink import HANG, SmtpSink
from tests.service.client import SETTINGS, Client
from tests.waiting import wait_until


def mail_settings(sink: SmtpSink) -> dict[str, str]:
    return SETTINGS | {
        "SMTP_HOST": sink.host,
        "SMTP_PORT": str(sink.port),
        "SMTP_SECURITY": "none",
        "STAFF_EMAILS": "desk@firm.example",
    }


def in_exchange(client: Client) -> bool:
    return any(mail["status"] == "SENDING" for mail in client.deliveries())


def assert_both_arrived_once(client: Client, sink: SmtpSink) -> None:
    # A lease of the killed process ends after half a minute.
    wait_until(lambda: len(sink.messages) >= 2, timeout=60)
    wait_until(client.all_sent)
    assert sorted(mail.recipient for mail in sink.messages) == [
        "desk@firm.example",
        "zoe@example.com",
    ]


@pytest.mark.long
def test_the_embedded_service_sends_both_mails_after_it_was_killed_with_them_in_hand(
    start_service: Callable[..., Service],
) -> None:
    with SmtpSink() as sink:
        sink.script["data"] = HANG
        service = start_service(**mail_settings(sink))
        client = Client(service)
        assert client.submit().status_code == 201
        wait_until(lambda: in_exchange(client))

        service.kill()
        sink.script.clear()
        service.start()

        assert_both_arrived_once(client, sink)


@pytest.mark.long
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_serve_and_worker_and_an_empty_redis_lose_no_mail(
    start_service: Callable[..., Service],
    start_worker: Callable[..., Worker],
    redis_server: RedisServer,
    database_url: str,
) -> None:
    with SmtpSink() as sink:
        sink.script["data"] = HANG
        settings = mail_settings(sink) | {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_server.url,
        }
        service = start_service(**settings)
        worker = start_worker(**settings)
        client = Client(service)
        assert client.submit().status_code == 201
        wait_until(lambda: in_exchange(client))

        for process in (service, worker, redis_server):
            process.kill()
        sink.script.clear()
        for process in (redis_server, service, worker):
            process.start()

        assert_both_arrived_once(client, sink)


def test_a_key_is_remembered_after_a_kill(start_service: Callable[..., Service]) -> None:
    service = start_service(**SETTINGS)
    client = Client(service)
    first = client.submit(key="one-click")
    service.kill()
    service.start()

    again = client.submit(key="one-click")

    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(list(client.items("/leads"))) == 1
