"""What every request passes, over real sockets."""

import json
import time
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from notion_backend.presentation.middleware.body_guard import BodyGuard
from notion_backend.presentation.middleware.client_address import ClientAddress
from tests.server.application import create
from tests.server.serving import Running, read_answer, serving, status_of
from tests.waiting import wait_until

ADDRESS = b"GET /api/v1/address HTTP/1.1\r\nConnection: close\r\n"


@pytest.fixture(scope="module")
def behind_proxy() -> Iterator[Running]:
    proxies = ("127.0.0.0/8", "10.0.0.0/8", "2001:db8::1")
    with serving(lambda: create(trusted_proxies=proxies)) as server:
        yield server


def body_of(answer: bytes) -> dict[str, str]:
    return dict(json.loads(answer.partition(b"\r\n\r\n")[2]))


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("abc-123.X_y", True), ("short", False), ("x" * 65, False), ("evil id!!", False)],
)
def test_a_well_formed_request_id_is_kept(client: httpx.Client, sent: str, kept: bool) -> None:
    answer = client.get("/api/v1/address", headers={"X-Request-ID": sent})
    assert (answer.headers["x-request-id"] == sent) is kept
    assert len(answer.headers.get_list("x-request-id")) == 1


def test_each_request_is_one_line_in_the_log_without_its_query(
    running: Running, log: pytest.LogCaptureFixture
) -> None:
    running.answer_to(
        b"GET /%1b[2J%0a%7b%22level%22?q=personal HTTP/1.1\r\nHost: localhost\r\n"
        b'User-Agent: {"level":"error"}\r\nConnection: close\r\n\r\n'
    )
    wait_until(lambda: '"event": "request"' in log.text)
    (line,) = log.messages
    assert "personal" not in line
    assert "User-Agent" not in line
    assert "%1b[2J%0a%7b%22level%22" in line
    assert '"status": 404' in line


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (b"X-Forwarded-For: 203.0.113.9", "203.0.113.9"),
        (b"X-Forwarded-For: 1.1.1.1, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
        (b"X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 203.0.113.9", "203.0.113.9"),
        (b"X-Forwarded-For: 203.0.113.9:5555", "203.0.113.9"),
        (b"X-Forwarded-For: [2001:db8::9]:5555", "2001:db8::9"),
        (b"X-Forwarded-For: 1.1.1.1, 2001:db8::1", "1.1.1.1"),
        (b"X-Forwarded-For: ::ffff:203.0.113.9", "203.0.113.9"),
        (b"X-Forwarded-For: 10.0.0.1, 10.0.0.2", "10.0.0.1"),
        (b"X-Forwarded-For: 1.1.1.1, garbage", "127.0.0.1"),
        (b"X-Forwarded-For: 1.1.1.1, garbage, 10.0.0.2", "10.0.0.2"),
        (b"X-Forwarded-For:", "127.0.0.1"),
    ],
)
def test_the_right_most_address_that_is_no_proxy_is_the_client(
    behind_proxy: Running, forwarded: bytes, client: str
) -> None:
    answer = behind_proxy.answer_to(ADDRESS + b"Host: localhost\r\n" + forwarded + b"\r\n\r\n")
    assert body_of(answer)["client"] == client


def test_the_scheme_that_the_nearest_proxy_names_counts(behind_proxy: Running) -> None:
    for sent, scheme in ((b"https", "https"), (b"https, http", "http"), (b"javascript", "http")):
        head = ADDRESS + b"Host: localhost\r\nX-Forwarded-Proto: " + sent + b"\r\n\r\n"
        answer = behind_proxy.answer_to(head)
        assert body_of(answer)["scheme"] == scheme
        assert (b"strict-transport-security" in answer) is (scheme == "https")


def test_a_forwarded_address_from_a_stranger_is_ignored_and_warned_of_once(
    log: pytest.LogCaptureFixture,
) -> None:
    head = (
        ADDRESS + b"Host: localhost\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 2.2.2.2\r\n"
        b"X-Forwarded-Proto: https\r\n\r\n"
    )
    with serving(create) as running:
        for _ in range(3):
            assert body_of(running.answer_to(head)) == {"client": "127.0.0.1", "scheme": "http"}
    assert log.text.count("TRUSTED_PROXIES") == 1


def test_a_wrong_proxy_is_said_at_the_start() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        ClientAddress(Starlette(), trusted_proxies=["nonsense"])


@pytest.mark.parametrize(
    ("hosts", "status"),
    [
        (b"Host: example.com\r\n", 200),
        (b"Host: EXAMPLE.com:8080\r\n", 200),
        (b"Host: example.com.\r\n", 200),
        (b"Host: a.example.org\r\n", 200),
        (b"Host: localhost:1\r\n", 200),
        (b"Host: 127.0.0.1\r\n", 200),
        (b"Host: [::1]:80\r\n", 200),
        (b"Host: evil.com\r\n", 400),
        (b"Host: example.org\r\n", 400),
        (b"Host: evilexample.org\r\n", 400),
        (b"Host: example.com.evil.com\r\n", 400),
        (b"Host: a/../b\r\n", 400),
        (b"Host: example.com/x\r\n", 400),
        (b"Host: user@example.com\r\n", 400),
        (b"Host: example.com:80:80\r\n", 400),
        (b"Host:\r\n", 400),
        (b"", 400),
        (b"Host: example.com\r\nHost: example.com\r\n", 400),
    ],
)
def test_only_requests_that_name_this_service_are_served(
    named: Running, hosts: bytes, status: int
) -> None:
    answer = named.answer_to(ADDRESS + hosts + b"\r\n")
    assert status_of(answer) == status
    assert b"x-request-id" in answer
    assert status == 200 or body_of(answer)["code"] == "bad_request"


@pytest.fixture(scope="module")
def named() -> Iterator[Running]:
    with serving(lambda: create(allowed_hosts=("example.com", "*.example.org"))) as server:
        yield server


def test_every_answer_has_the_security_headers(client: httpx.Client) -> None:
    for path in ("/api/v1/address", "/api/v1/nothing", "/api/v1/defect"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "same-origin"
        assert "server" not in headers
    refused = client.get("/", headers={"Host": "evil.com"})
    assert refused.headers["x-content-type-options"] == "nosniff"


def test_only_allowed_origins_may_read_answers() -> None:
    with (
        serving(lambda: create(allowed_origins=("https://a.example",))) as running,
        httpx.Client(base_url=f"http://127.0.0.1:{running.port}", trust_env=False) as client,
    ):
        allowed = client.get("/api/v1/address", headers={"Origin": "https://a.example"})
        assert allowed.headers["access-control-allow-origin"] == "https://a.example"
        other = client.get("/api/v1/address", headers={"Origin": "https://b.example"})
        assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_is_refused_where_no_file_is_taken(
    client: httpx.Client, chunked: bool
) -> None:
    body = b'{"name": "' + b"x" * 2_100_000 + b'"}'
    content = iter([body[:40_000], body[40_000:]]) if chunked else body
    headers = {"Content-Type": "application/json"}
    answer = client.post("/api/v1/people", content=content, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    small = client.post("/api/v1/people", json={"name": "x" * 60_000})
    assert small.status_code == 200


@pytest.mark.parametrize("body", [b"username=a&" * 1_000_000, b"username=" + b"a" * 6_000_000])
def test_a_huge_urlencoded_form_is_refused(client: httpx.Client, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = client.post("/api/v1/login", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_a_urlencoded_form_has_twenty_fields_at_most(client: httpx.Client) -> None:
    fields = {f"f{number}": "x" for number in range(19)}
    assert client.post("/api/v1/login", data={"username": "a", **fields}).status_code == 200
    answer = client.post("/api/v1/login", data={"username": "a", "more": "b", **fields})
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_a_semicolon_does_not_separate_fields(client: httpx.Client) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = client.post("/api/v1/login", content=b"username=a;admin=1", headers=headers)
    assert answer.json() == {"username": "a;admin=1", "fields": ["username"]}


async def _size(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


def _impatient() -> BodyGuard:
    app = Starlette(routes=[Route("/{path:path}", _size, methods=["POST"])])
    return BodyGuard(app, own_body_paths={"/form"}, window_seconds=0.5)


@pytest.fixture(scope="module")
def impatient() -> Iterator[Running]:
    with serving(_impatient) as server:
        yield server


@pytest.mark.parametrize("path", [b"/form", b"/other"])
@pytest.mark.parametrize("framing", [b"Content-Length: 5000", b"Transfer-Encoding: chunked"])
@pytest.mark.parametrize("trickle", [True, False])
def test_a_body_that_dawdles_is_refused_and_the_connection_closed(
    impatient: Running, path: bytes, framing: bytes, trickle: bool
) -> None:
    with impatient.connect() as connection:
        connection.sendall(
            b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\n" + framing + b"\r\n\r\n"
        )
        began = time.monotonic()
        for _ in range(8 if trickle else 0):
            connection.sendall(b"1\r\nx\r\n" if b"chunked" in framing else b"x")
            time.sleep(0.05)
        answer = read_answer(connection)
        assert status_of(answer) == 408
        assert b"connection: close" in answer.lower()
        assert body_of(answer)["code"] == "request_timeout"
        assert 0.4 < time.monotonic() - began < 5


def test_an_honest_slow_client_gets_through(impatient: Running) -> None:
    with impatient.connect() as connection:
        connection.sendall(
            b"POST /form HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000\r\n\r\n"
        )
        for _ in range(20):
            connection.sendall(b"x" * 250)
            time.sleep(0.05)
        answer = read_answer(connection)
        assert status_of(answer) == 200
        assert answer.endswith(b"5000")
