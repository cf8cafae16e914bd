"""What staff read, with a thousand leads and with a million: lists, search, one lead, figures.

BENCH_LEADS names other numbers, BENCH_DATABASES other databases (their URLs, or `sqlite`), and
BENCH_FOLDER a folder that keeps the databases of SQLite from one run to the next.
"""

import http.client
import json
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from urllib.parse import quote, urlencode

from tests.servers.databases import ServerDatabases

from bench.filling import a_name, fill
from bench.service import service

SIZES = tuple(int(size) for size in os.environ.get("BENCH_LEADS", "1000,1000000").split(","))
DATABASES = os.environ.get("BENCH_DATABASES", "sqlite").split(",")
REQUESTS = 300
PASSWORD = "a long walk along the sea"
SETTINGS = {"ADMIN_PASSWORD": PASSWORD, "LOGIN_RATE_LIMIT": "off"}
_WARM_UP = 20


def run() -> None:
    """Print, for each database, a line for each thing and a column for each size."""
    for database in DATABASES:
        name = database.partition(":")[0]
        found: dict[str, list[str]] = {}
        medians: dict[str, list[float]] = {}
        for size in SIZES:
            with filled(database, size) as url, service(DATABASE_URL=url, **SETTINGS) as port:
                for what, seconds in _measure(port, size):
                    cuts = quantiles(seconds, n=20)
                    medians.setdefault(what, []).append(cuts[9])
                    found.setdefault(what, []).append(
                        f"{cuts[9] * 1000:7.1f} {cuts[18] * 1000:7.1f}"
                    )
        print(f"reading: {name}, p50 and p95 in ms, {REQUESTS} requests each")
        print(f"  {'leads':28}" + "".join(f"{size:>17,}" for size in SIZES) + "    last / first")
        for what, columns in found.items():
            growth = medians[what][-1] / medians[what][0]
            print(f"  {what:28}" + "".join(f"{one:>17}" for one in columns) + f"{growth:12.2f}")


class Reader:
    """One connection of somebody who is signed in."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        form = urlencode({"grant_type": "password", "username": "admin", "password": PASSWORD})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request("POST", "/api/v1/auth/token", form, headers)
        token = json.loads(self._connection.getresponse().read())["access_token"]
        self.authorization = f"Bearer {token}"
        self._headers = {"Authorization": self.authorization}

    def get(self, path: str) -> bytes:
        """Return what is there; anything but a 200 ends the run."""
        self._connection.request("GET", f"/api/v1{path}", headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != http.client.OK:
            raise SystemExit(f"{path}: {answer.status} {body.decode()}")
        return body


def _measure(port: int, size: int) -> Iterator[tuple[str, list[float]]]:
    reader, chance = Reader(port), random.Random(size)
    began = time.perf_counter()
    reader.get("/stats")
    yield "figures, the first time", 2 * [time.perf_counter() - began]
    deep = _cursor_in_the_middle(reader, size)
    paths: dict[str, Callable[[], str]] = {
        "first page": lambda: "/leads",
        "deep page": lambda: f"/leads?cursor={deep}",
        "one state": lambda: "/leads?state=PENDING",
        "by last name": lambda: "/leads?sort=last_name",
        "one lead": lambda: f"/leads/{chance.randint(1, size)}",
        "search: a part of a name": lambda: f"/leads?q={quote(a_part(chance))}",
        "search: a whole name": lambda: f"/leads?q={a_name(chance)}",
        "search: in nobody": lambda: f"/leads?q={a_name(chance)}{a_name(chance)}{a_name(chance)}",
        "search: in everybody": lambda: "/leads?q=example",
        "search: two characters": lambda: f"/leads?q={a_name(chance)[:2]}",
        "search: two, in nobody": lambda: "/leads?q=qq",
        "search: by last name": lambda: f"/leads?sort=last_name&q={quote(a_part(chance))}",
    }
    for what, path in paths.items():
        yield what, timed(lambda path=path: reader.get(path()), REQUESTS)
    yield "figures, over 15 s", timed(lambda: reader.get("/stats"), REQUESTS, pause=0.05)


def timed(
    ask: Callable[[], object], number: int, pause: float = 0.0, warm_up: int = _WARM_UP
) -> list[float]:
    """Return how long each took; of what is very slow only as many as take a minute."""
    seconds: list[float] = []
    for _ in range(warm_up + number):
        time.sleep(pause)
        began = time.perf_counter()
        ask()
        seconds.append(time.perf_counter() - began)
        if sum(seconds) > 60:
            break
    return seconds[warm_up:] if len(seconds) > 2 * warm_up else seconds


def a_part(chance: random.Random) -> str:
    """Return three to six characters of a name, as somebody types them."""
    name = a_name(chance).lower() + a_name(chance).lower()
    start = chance.randint(0, 2)
    return name[start : start + chance.randint(3, 6)]


def _cursor_in_the_middle(reader: Reader, size: int) -> str:
    cursor = ""
    for _ in range(max(1, min(size // 2, 200_000) // 200)):
        page = json.loads(reader.get(f"/leads?limit=200&cursor={cursor}"))
        cursor = page["next_cursor"] or cursor
    return cursor


@contextmanager
def filled(database: str, size: int) -> Iterator[str]:
    if database == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            kept = Path(os.environ.get("BENCH_FOLDER", folder))
            kept.mkdir(parents=True, exist_ok=True)
            file = kept / f"{size}.db"
            if not file.exists():
                fill(f"sqlite:///{file}", size)
            yield f"sqlite:///{file}"
    else:
        with ServerDatabases(database) as server, server.bare() as url:
            fill(url, size)
            yield url
