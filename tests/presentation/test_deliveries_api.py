from collections.abc import Callable
from uuid import uuid4

from tests.servers.service import Service
from tests.servers.smtp_sink import SmtpSink
from tests.service.client import SETTINGS, Client
from tests.waiting import wait_until

SHAPE = {
    "id",
    "lead_id",
    "kind",
    "recipient",
    "status",
    "attempts",
    "last_reply",
    "next_attempt_at",
    "sent_at",
    "created_at",
}


def test_a_failed_mail_is_seen_with_the_servers_words_and_sent_again_by_a_person(
    start_service: Callable[..., Service],
) -> None:
    with SmtpSink() as sink:
        sink.script["rcpt"] = lambda line: "550 5.1.1 nobody here" if "zoe" in line else None
        client = Client(
            start_service(
                **SETTINGS,
                SMTP_HOST=sink.host,
                SMTP_PORT=str(sink.port),
                SMTP_SECURITY="none",
                STAFF_EMAILS="desk@firm.example",
            )
        )
        client.submit()
        wait_until(lambda: list(client.items("/deliveries", status="FAILED")))

        [failed] = client.items("/deliveries", status="FAILED")
        assert set(failed) == SHAPE
        assert (failed["kind"], failed["recipient"]) == ("prospect_confirmation", "zoe@example.com")
        assert "nobody here" in failed["last_reply"]
        [logged] = [mail for mail in client.deliveries() if mail["id"] == failed["id"]]
        assert set(logged) == SHAPE | {"attempt_log"}
        assert [attempt["stage"] for attempt in logged["attempt_log"]] == ["rcpt"]

        sink.script.clear()
        answer = client.send("POST", f"/deliveries/{failed['id']}/retry")
        assert (answer.status_code, answer.json()["status"]) == (202, "QUEUED")
        wait_until(client.all_sent)
        assert client.send("POST", f"/deliveries/{failed['id']}/retry").status_code == 409
        events = [event["action"] for event in client.items(f"/leads/{failed['lead_id']}/events")]
        assert "delivery.retried" in events


def test_held_mails_are_released_all_together(start_service: Callable[..., Service]) -> None:
    settings = SETTINGS | {"PROSPECT_MAIL_LIMIT": "1/hour", "STAFF_EMAILS": "desk@firm.example"}
    client = Client(start_service(**settings))
    for _ in range(3):
        assert client.submit().status_code == 201
    held = list(client.items("/deliveries", status="HELD"))
    assert len(held) == 2
    assert "PROSPECT_MAIL_LIMIT" in held[0]["last_reply"]

    answer = client.send("POST", "/deliveries/retry", {"status": "HELD"})

    assert (answer.status_code, answer.json()) == (202, {"retried": 2})
    wait_until(lambda: len(list(client.items("/deliveries", status="SENT"))) == 6)


def test_the_mails_of_a_lead_come_page_by_page(start_service: Callable[..., Service]) -> None:
    staff = ",".join(f"desk{number}@firm.example" for number in range(4))
    client = Client(start_service(**SETTINGS, STAFF_EMAILS=staff))
    client.submit()
    path = f"/leads/{client.only_lead()['id']}/deliveries"

    first = client.get(path, limit=2).json()
    assert len(first["items"]) == 2
    recipients = [mail["recipient"] for mail in client.items(path, limit=2)]

    assert recipients == ["zoe@example.com", *staff.split(",")]
    assert client.send("GET", f"{path}?limit=0").status_code == 422
    assert client.send("GET", f"{path}?cursor=made-up").status_code == 422


def test_what_cannot_be_asked_is_refused(start_service: Callable[..., Service]) -> None:
    client = Client(start_service(**SETTINGS))
    for method, path, body, status in (
        ("POST", f"/deliveries/{uuid4()}/retry", None, 404),
        ("POST", "/deliveries/17/retry", None, 422),
        ("POST", "/deliveries/retry", {"status": "SENT"}, 409),
        ("POST", "/deliveries/retry", {"status": "LOST"}, 422),
        ("POST", "/deliveries/retry", {}, 422),
        ("POST", "/deliveries/retry", {"status": "FAILED", "more": 1}, 422),
        ("GET", "/deliveries?status=LOST", None, 422),
        ("GET", "/deliveries?cursor=made-up", None, 422),
        ("GET", "/leads/404/deliveries", None, 404),
    ):
        assert client.send(method, path, body).status_code == status, (method, path)
