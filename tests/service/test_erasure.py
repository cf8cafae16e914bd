"""After the answer to an erasure nothing of the lead is in any file of the embedded default."""

from collections.abc import Callable

from tests.servers.service import Service
from tests.service.client import SETTINGS, Client
from tests.waiting import wait_until


def test_no_byte_of_an_erased_lead_is_left_in_the_data_folder(
    start_service: Callable[..., Service],
) -> None:
    service = start_service(**SETTINGS, STAFF_EMAILS="desk@firm.example")
    client = Client(service)
    content = b"%PDF-1.7\n" + b"Kunigunde has built bridges. " * 3000
    traces = {
        "first_name": "Kunigunde",
        "last_name": "Wetterstein",
        "email": "kuni.wetterstein@example.com",
    }
    assert client.submit("Kunigundes Lebenslauf.pdf", content, key="key-of-k", **traces).is_success
    assert client.submit(email="other@example.com").is_success
    wait_until(lambda: len(list(client.items("/deliveries", status="SENT"))) == 4)
    lead = next(one for one in client.items("/leads") if one["last_name"] == "Wetterstein")
    client.get(f"/leads/{lead['id']}/resume")
    assert traces_left(service, traces)

    assert client.send("DELETE", f"/leads/{lead['id']}").status_code == 204

    assert not traces_left(service, traces | {"key": "key-of-k", "file": "Lebenslauf.pdf"})
    assert client.send("DELETE", f"/leads/{lead['id']}").status_code == 404
    assert [one["email"] for one in client.items("/leads")] == ["other@example.com"]
    assert len(list((service.data_dir / "mail").iterdir())) == 2


def traces_left(service: Service, traces: dict[str, str]) -> list[tuple[str, str]]:
    """Name each file that holds one of these texts, and which."""
    return [
        (file.name, text)
        for file in service.data_dir.rglob("*")
        if file.is_file()
        for text in traces.values()
        if text.encode().lower() in file.read_bytes().lower()
    ]
