"""The console's pages as a browser asks for them, with a thousand leads and with a million.

BENCH_LEADS and BENCH_FOLDER as for `reading`.
"""

import http.client
from collections.abc import Callable, Iterator
from statistics import quantiles
from urllib.parse import urlencode

from bench.reading import PASSWORD, REQUESTS, SETTINGS, SIZES, filled, timed
from bench.service import service

_PAGES = {
    "first page": "/console",
    "pending": "/console?state=PENDING",
    "reached out": "/console?state=REACHED_OUT",
    "flagged": "/console?flagged=true",
    "oldest first": "/console?sort=created_at",
    "by name": "/console?sort=last_name",
    "by e-mail address": "/console?sort=-email",
    "search": "/console?q=lin",
    "one lead": "/console/leads/500",
    "mails": "/console/mails?status=ALL",
    "dashboard": "/console/dashboard",
}


def run() -> None:
    """Print a line for each page and a column for each size."""
    found: dict[str, list[list[float]]] = {}
    for size in SIZES:
        with filled("sqlite", size) as url, service(DATABASE_URL=url, **SETTINGS) as port:
            for name, seconds in _measure(port):
                found.setdefault(name, []).append(quantiles(seconds, n=20))
    print(f"console: sqlite, p50 and p95 in ms at the client, {REQUESTS} requests each")
    print(f"  {'leads':28}" + "".join(f"{size:>17,}" for size in SIZES) + "    last / first")
    for name, columns in found.items():
        cells = "".join(f"{cuts[9] * 1000:9.1f} {cuts[18] * 1000:7.1f}" for cuts in columns)
        print(f"  {name:28}{cells}{columns[-1][9] / columns[0][9]:12.2f}")


def _measure(port: int) -> Iterator[tuple[str, list[float]]]:
    get = _signed_in(port)
    yield "first page, the first time", 2 * timed(lambda: get(_PAGES["first page"]), 1, warm_up=0)
    for name, path in _PAGES.items():
        yield name, timed(lambda path=path: get(path), REQUESTS)


def _signed_in(port: int) -> Callable[[str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    form = urlencode({"username": "admin", "password": PASSWORD})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/console/sign-in", form, headers)
    answer = connection.getresponse()
    page = answer.read().decode()
    if answer.status != http.client.SEE_OTHER:
        raise SystemExit(f"/console/sign-in: {answer.status} {page}")
    cookie = str(answer.headers["Set-Cookie"]).partition(";")[0]

    def get(path: str) -> bytes:
        connection.request("GET", path, headers={"Cookie": cookie, "Accept": "text/html"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != http.client.OK:
            raise SystemExit(f"{path}: {answer.status}")
        return body

    return get
