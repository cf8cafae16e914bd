"""The rows of the hostile inputs that the HTTP protocol itself answers."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator

import pytest

from notion_backend.server.protocol import ConnectionLimits, HttpProtocol
from tests.server.application import LIMIT, create
from tests.server.serving import Running, read_all, read_answer, serving, status_of
from tests.waiting import wait_until

HEAD = b"POST /api/v1/people HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
GET = b"GET /api/v1/address HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Hasty(HttpProtocol):
    limits = ConnectionLimits(header_seconds=0.3, stall_seconds=0.3)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    with serving(create) as server:
        yield server


@pytest.fixture
def hasty() -> Iterator[Running]:
    with serving(create, Hasty) as server:
        yield server


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: -1",
        b"Content-Length: abc",
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
    ],
)
def test_a_length_that_can_be_read_two_ways_is_refused(running: Running, framing: bytes) -> None:
    answer = running.answer_to(HEAD + framing + b"\r\n\r\n0\r\n\r\n")
    assert status_of(answer) == 400
    assert b"connection: close" in answer.lower()
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    "chunks", [b"5\r\nhelloXX0\r\n\r\n", b"FFFFFFFFFFFFFFFFF\r\nx\r\n", b"zz\r\n"]
)
def test_broken_chunks_are_refused(running: Running, chunks: bytes) -> None:
    answer = running.answer_to(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunks)
    assert status_of(answer) == 400
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "bad_request"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 1_048_576 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"a: b\r\n" * 10_000 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"a: b\r\n" * 100 + b"\r\n", 431),
        (b"GET /" + b"a" * 1_048_576 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
    ],
)
def test_headers_beyond_the_limit_are_refused_and_the_answer_arrives(
    running: Running, request_: bytes, status: int
) -> None:
    answer = running.answer_to(request_)
    assert status_of(answer) == status
    assert b"\r\nx-request-id: " in answer
    assert b"\r\nx-content-type-options: nosniff" in answer


def test_a_hundred_headers_are_accepted(running: Running) -> None:
    with running.connect() as connection:
        connection.sendall(GET[:-2] + b"a: b\r\n" * 99 + b"\r\n")
        assert status_of(read_answer(connection)) == 200


@pytest.mark.parametrize(
    "start", [b"get / HTTP/1.1", b"BREW / HTTP/1.1", b"GET http:// HTTP/1.1", b"\x16\x03\x01"]
)
def test_what_is_not_http_is_refused(running: Running, start: bytes) -> None:
    assert status_of(running.answer_to(start + b"\r\nHost: localhost\r\n\r\n")) == 400


@pytest.mark.parametrize("method", [b"TRACE", b"PUT"])
def test_a_method_that_the_route_does_not_know_is_refused(running: Running, method: bytes) -> None:
    answer = running.answer_to(
        method + b" /api/v1/leads HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    )
    assert status_of(answer) == 405
    assert b"\r\nallow: POST" in answer


def test_connect_is_refused(running: Running) -> None:
    answer = running.answer_to(b"CONNECT a.com:443 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert status_of(answer) in (400, 405)


def test_a_silent_connection_is_closed(hasty: Running) -> None:
    with hasty.connect() as connection:
        began = time.monotonic()
        assert read_all(connection) == b""
        assert 0.2 < time.monotonic() - began < 5


def test_headers_that_come_byte_by_byte_are_cut_off(hasty: Running) -> None:
    with hasty.connect() as connection:
        began = time.monotonic()
        connection.settimeout(0.05)
        with contextlib.suppress(ConnectionError):
            for byte in GET * 100:
                connection.sendall(bytes([byte]))
                with contextlib.suppress(TimeoutError):
                    if connection.recv(1) == b"":
                        break
        assert time.monotonic() - began < 5


def test_a_second_request_must_be_as_quick_as_the_first(hasty: Running) -> None:
    with hasty.connect() as connection:
        connection.sendall(GET)
        assert status_of(read_answer(connection)) == 200
        connection.sendall(b"\r\n")
        began = time.monotonic()
        assert read_all(connection) == b""
        assert time.monotonic() - began < 5


def test_a_thousand_silent_connections_do_not_keep_others_out(running: Running) -> None:
    silent = [running.connect() for _ in range(1000)]
    try:
        began = time.monotonic()
        assert status_of(running.answer_to(GET[:-2] + b"Connection: close\r\n\r\n")) == 200
        assert time.monotonic() - began < 5
    finally:
        for connection in silent:
            connection.close()


def test_an_announced_body_that_is_too_large_is_refused_before_it_is_sent(running: Running) -> None:
    began = time.monotonic()
    answer = running.answer_to(
        b"POST /api/v1/leads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000000\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    )
    assert status_of(answer) == 413
    assert b"connection: close" in answer.lower()
    assert time.monotonic() - began < 5


def test_a_refusal_is_readable_even_for_a_client_that_sends_everything_first(
    running: Running,
) -> None:
    with running.connect() as connection:
        connection.sendall(
            b"POST /api/v1/leads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30000000\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        )
        connection.sendall(b"x" * 30_000_000)
        assert status_of(read_all(connection)) == 413


def test_a_client_that_never_stops_sending_is_cut_off_after_two_seconds(running: Running) -> None:
    with running.connect() as connection:
        connection.sendall(
            b"POST /api/v1/leads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 30000000\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
        )
        began = time.monotonic()
        with pytest.raises(ConnectionError):
            _trickle_for_ever(connection)
        assert 1 < time.monotonic() - began < 8


def test_a_body_that_nobody_reads_ends_the_connection(running: Running) -> None:
    answer = running.answer_to(
        b"GET /api/v1/address HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n"
    )
    assert status_of(answer) == 200
    assert b"connection: close" in answer.lower()


def test_a_whole_body_keeps_the_connection(running: Running) -> None:
    with running.connect() as connection:
        for _ in range(3):
            connection.sendall(HEAD + b'Content-Length: 14\r\n\r\n{"name": "Ann"')
            time.sleep(0.02)
            connection.sendall(b"")
            assert status_of(read_answer(connection)) == 400
            connection.sendall(HEAD + b'Content-Length: 15\r\n\r\n{"name": ')
            time.sleep(0.02)
            connection.sendall(b'"Ann"}')
            assert status_of(read_answer(connection)) == 200


def test_a_client_that_asks_whether_to_go_on_is_told_so(running: Running) -> None:
    with running.connect() as connection:
        connection.sendall(HEAD + b"Content-Length: 15\r\nExpect: 100-continue\r\n\r\n")
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b'{"name": "Ann"}')
        assert status_of(read_answer(connection)) == 200


def test_a_client_that_asks_whether_to_go_on_is_refused_without_a_body(running: Running) -> None:
    answer = running.answer_to(
        b"POST /api/v1/leads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50000000\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\nExpect: 100-continue\r\n\r\n"
    )
    assert status_of(answer) == 413


def test_garbage_behind_a_whole_request_does_not_take_its_answer(running: Running) -> None:
    answer = running.answer_to(
        b"GET /api/v1/slow?seconds=0.1 HTTP/1.1\r\nHost: localhost\r\n\r\n\x00garbage\r\n\r\n"
    )
    assert status_of(answer) == 200
    assert answer.count(b"HTTP/1.1") == 1


def test_requests_in_one_packet_are_answered_in_order(running: Running) -> None:
    with running.connect() as connection:
        connection.sendall(b"GET /api/v1/slow?seconds=0.05 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        connection.sendall(GET + GET[:-2] + b"Connection: close\r\n\r\n")
        answers = read_all(connection)
    assert answers.count(b"HTTP/1.1 200") == 3
    assert answers.index(b"done") < answers.index(b"client")


def test_an_upgrade_is_ignored(running: Running) -> None:
    answer = running.answer_to(GET[:-2] + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
    assert status_of(answer) == 200


def test_a_client_that_goes_away_leaves_no_traceback(
    running: Running, log: pytest.LogCaptureFixture
) -> None:
    for cut in (HEAD + b'Content-Length: 500\r\n\r\n{"na', *_cut_forms()):
        with running.connect() as connection:
            connection.sendall(cut)
            connection.shutdown(socket.SHUT_WR)
            answer = read_all(connection)
            assert answer == b"" or status_of(answer) == 400
        with running.connect() as connection:
            connection.sendall(cut)
    assert status_of(running.answer_to(GET[:-2] + b"Connection: close\r\n\r\n")) == 200
    wait_until(lambda: log.text.count('"status": 499') >= 3)
    assert "Traceback" not in log.text


def _trickle_for_ever(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"x")
        time.sleep(0.02)


def _cut_forms() -> Iterator[bytes]:
    head = (
        b"POST /api/v1/leads HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\n"
    )
    part = b'--b\r\nContent-Disposition: form-data; name="resume"; filename="a.pdf"\r\n\r\nabc'
    yield head + f"Content-Length: {LIMIT}\r\n\r\n".encode() + part
    yield head + b"Transfer-Encoding: chunked\r\n\r\n" + f"{len(part):x}\r\n".encode() + part


def test_a_request_that_breaks_is_given_up_while_its_client_stays(
    running: Running, log: pytest.LogCaptureFixture
) -> None:
    with running.connect() as connection:
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\nzz\r\n")
        assert status_of(read_answer(connection)) == 400
        wait_until(lambda: '"event": "request"' in log.text, 1)


def test_a_client_that_takes_nothing_of_its_answer_is_cut_off() -> None:
    with serving(lambda: _endless, Hasty) as running, running.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(GET)
        wait_until(lambda: running.server.server_state.connections)
        wait_until(lambda: not running.server.server_state.connections, 5)


async def _endless(scope, receive, send) -> None:  # type: ignore[no-untyped-def]
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x" * 50_000_000})
