import threading
from collections.abc import Callable
from pathlib import Path

from tests.servers.service import CommandProcess, Service
from tests.service.client import SETTINGS, Client


class Import(CommandProcess):
    """`notion-backend leads import`, waited for."""

    def is_ready(self) -> bool:
        return True


def test_a_thousand_leads_come_once_each_while_new_ones_arrive(
    start_service: Callable[..., Service], tmp_path: Path, database_url: str
) -> None:
    settings = SETTINGS | {"DATABASE_URL": database_url}
    client = Client(start_service(**settings))
    rows = tmp_path / "leads.csv"
    rows.write_text(
        "first_name,last_name,email\n"
        + "".join(f"P{n % 7},N{n % 13},p{n}@example.com\n" for n in range(1000))
    )
    importing = Import(tmp_path / "service", "import", ["leads", "import", str(rows)], settings)
    with importing:
        assert importing.wait() == 0, importing.log

    for sort in ("-created_at", "last_name"):
        stop = threading.Event()

        def keep_sending(stop: threading.Event = stop) -> None:
            while not stop.is_set():
                assert client.submit(email="new@example.com").status_code == 201

        sender = threading.Thread(target=keep_sending)
        sender.start()
        seen = [lead["email"] for lead in client.items("/leads", limit=97, sort=sort)]
        stop.set()
        sender.join()
        old = [email for email in seen if email != "new@example.com"]
        assert sorted(old) == sorted(f"p{n}@example.com" for n in range(1000)), sort
