"""What the tests run on: read once from the environment and from what the machine has."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import make_url

from tests.servers import mariadb, postgres, redis
from tests.servers.parts import PARTS, is_here

_SERVERS: Mapping[str, tuple[str, Callable[[str], bool]]] = {
    "postgresql": ("named-postgresql", postgres.answers),
    "postgres": ("named-postgresql", postgres.answers),
    "mysql": ("named-mariadb", mariadb.answers),
    "mariadb": ("named-mariadb", mariadb.answers),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """The kinds of database and the Redis that tests use, and what is missing for the others."""

    databases: Mapping[str, str | None]
    """Kind → URL of a server that was named for it; None where the tests bring their own."""
    redis_url: str | None
    """The Redis that was named; None where the tests bring their own."""
    missing: tuple[str, ...]
    """Parts and servers that tests would need and do not find, in words."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> "Plan":
        """Read `TEST_DATABASE_URLS` and `TEST_REDIS_URL` and ask the servers for an answer."""
        named, missing = _named_databases(environment.get("TEST_DATABASE_URLS", ""))
        databases = {"sqlite": None, "postgresql": None, **named}
        lacking = {part for part in PARTS if not is_here(part)}
        if any(kind.startswith("named-mariadb") for kind in named):
            lacking.discard("mariadb")
        elif "mariadb" not in lacking:
            databases["mariadb"] = None
        redis_url = environment.get("TEST_REDIS_URL") or None
        if redis_url and not redis.answers(redis_url):
            missing.append(f"{_without_password(redis_url)} (TEST_REDIS_URL; does not answer)")
            redis_url = None
        missing += [f"{part} ({PARTS[part]})" for part in sorted(lacking)]
        return cls(databases, redis_url, tuple(missing))

    def summary(self) -> list[str]:
        """Say in a line what the tests run on, and in another what is missing, if anything is."""
        lines = [f"databases: {', '.join(self.databases)}; Redis: {self._redis_name()}"]
        if self.missing:
            lines.append(f"not here, so their tests do not run: {', '.join(self.missing)}")
        return lines

    def _redis_name(self) -> str:
        return _without_password(self.redis_url) if self.redis_url else "Valkey of our own"


def everything_is_required(environment: Mapping[str, str]) -> bool:
    """Tell whether a missing part is a failure (`REQUIRE_ALL=1`), as in CI."""
    return environment.get("REQUIRE_ALL", "") not in {"", "0"}


def _named_databases(urls: str) -> tuple[dict[str, str | None], list[str]]:
    """Tell the servers that answer, by kind, from a list of those that do not, in words."""
    named: dict[str, str | None] = {}
    missing = []
    for url in filter(None, map(str.strip, urls.split(","))):
        backend = make_url(url).get_backend_name()
        kind, answers = _SERVERS[backend]
        if answers(url):
            twins = sum(known.startswith(kind) for known in named)
            named[f"{kind}-{twins + 1}" if twins else kind] = url
        else:
            missing.append(f"{_without_password(url)} (TEST_DATABASE_URLS; does not answer)")
    return named, missing


def _without_password(url: str) -> str:
    return make_url(url).render_as_string(hide_password=True)
