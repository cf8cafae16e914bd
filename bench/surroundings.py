"""What many processes of the service share: PostgreSQL, Redis and a mail server."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.databases import ServerDatabases
from tests.servers.redis import RedisServer
from tests.servers.smtp_sink import SmtpSink

from bench.service import mailing_to

POSTGRESQL = os.environ.get(
    "BENCH_POSTGRESQL", "postgresql://postgres:postgres@127.0.0.1:5432/postgres"
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where they are, and the settings that lead a process of the service to them."""

    folder: Path
    database_url: str
    redis_url: str
    sink: SmtpSink
    settings: dict[str, str]


@contextmanager
def surroundings() -> Iterator[Surroundings]:
    """Start them, each empty."""
    with (
        tempfile.TemporaryDirectory() as name,
        ServerDatabases(POSTGRESQL) as server,
        server.bare() as database_url,
        RedisServer(Path(name)) as redis,
        SmtpSink() as sink,
    ):
        settings = {
            "DATA_DIR": f"{name}/data",
            "DATABASE_URL": database_url,
            "REDIS_URL": redis.url,
            **mailing_to(sink),
        }
        yield Surroundings(Path(name), database_url, redis.url, sink, settings)
