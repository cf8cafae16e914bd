"""How long a message is and how it is put together: rows 1 to 4, 7, and clients that go away."""

import pytest

from tests.hostile.forms import BOUNDARY, CONTENT_TYPE, PDF, chunked, file_part, form, person
from tests.hostile.raw_http import exchange, request
from tests.hostile.target import MEBIBYTE, Target

LIMIT = 10 * MEBIBYTE
ENDLESS = b"x" * 65536


def part_of_a_form(filename: str = "resume.pdf") -> bytes:
    """A form up to the beginning of its file."""
    return person() + file_part(filename, PDF)[:-2]


def head(*framing: str, path: str = "/api/v1/leads") -> bytes:
    return request("POST", path, CONTENT_TYPE, *framing)


# Row 1
@pytest.mark.parametrize("length", [50_000_000_000, 4 * LIMIT + MEBIBYTE])
def test_a_body_that_says_it_is_far_too_long_is_refused_before_it_is_read(
    target: Target, length: int
) -> None:
    def body():
        yield head(f"Content-Length: {length}")
        yield from (ENDLESS for _ in range(10_000))

    with target.within(), target.storing_nothing():
        answer = target.send(body())
    assert (answer.status, answer.closed) == (413, True)
    assert answer.header("content-type") == "application/problem+json"
    assert answer.seconds < 3


# Row 1
def test_a_body_that_says_it_is_far_too_long_is_refused_with_no_byte_of_it(target: Target) -> None:
    answer = target.send(head("Content-Length: 50000000000"))
    assert (answer.status, answer.closed) == (413, True)
    assert answer.seconds < 3


# Row 1
def test_a_file_over_the_limit_leaves_the_fields_on_the_page(target: Target) -> None:
    content = PDF + bytes(2 * LIMIT)
    with target.within(), target.storing_nothing():
        answer = target.post_form(
            form(file_part("resume.pdf", content), person(first_name="Keepable")), path="/"
        )
    assert answer.status == 413
    assert 'value="Keepable"' in answer.text
    assert answer.header("content-type").startswith("text/html")


# Row 2
def test_an_endless_file_without_a_length_is_refused_at_the_limit(target: Target) -> None:
    def body():
        yield head("Transfer-Encoding: chunked")
        yield chunked(part_of_a_form())[:-5]
        yield from (b"10000\r\n" + ENDLESS + b"\r\n" for _ in range(6400))

    with target.within(), target.storing_nothing():
        answer = target.send(body())
    assert (answer.status, answer.closed) == (413, True)
    assert answer.sent < 60 * MEBIBYTE


# Row 3
@pytest.mark.parametrize(
    "framing",
    [
        ("Content-Length: -1",),
        ("Content-Length: abc",),
        ("Content-Length: +5",),
        ("Content-Length: 0x10",),
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: 5, 6",),
        ("Content-Length: 99999999999999999999999999",),
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 5"),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        ("Transfer-Encoding : chunked",),
    ],
)
def test_a_message_whose_length_is_unclear_is_refused(
    target: Target, framing: tuple[str, ...]
) -> None:
    smuggled = b"0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    with target.storing_nothing():
        answer = target.send(head(*framing) + smuggled)
    assert (answer.status, answer.closed) == (400, True)
    assert b"HTTP/1.1 200" not in answer.body


# Row 4
@pytest.mark.parametrize(
    "body",
    [
        b"5\r\nhelloXX0\r\n\r\n",
        b"5\r\nhello\n0\n\n",
        b"5\nhello\r\n0\r\n\r\n",
        b"10000000000000005\r\nhello\r\n0\r\n\r\n",
        b"fffffffffffffffff\r\nhello\r\n0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"G\r\nhello\r\n0\r\n\r\n",
        b"\r\n",
    ],
)
def test_broken_chunks_are_refused(target: Target, body: bytes) -> None:
    with target.storing_nothing():
        answer = target.send(head("Transfer-Encoding: chunked") + body, timeout=5)
    assert (answer.status, answer.closed) == (400, True)


# Row 4
def test_endless_chunk_extensions_are_refused(target: Target) -> None:
    def body():
        yield head("Transfer-Encoding: chunked")
        for _ in range(200):
            yield b"1;" + ENDLESS + b"\r\nx\r\n"

    with target.within(), target.storing_nothing():
        answer = target.send(body())
    assert (answer.status in (400, 413), answer.closed) == (True, True)


# Row 7
@pytest.mark.parametrize(
    ("data", "status"),
    [
        (request("GET", "/healthz", "X-Large: " + "x" * MEBIBYTE), 431),
        (request("GET", "/healthz", *(f"X-{number}: x" for number in range(10_000))), 431),
        (request("GET", "/healthz?" + "x" * MEBIBYTE), 414),
        (request("GET", "/" + "x" * MEBIBYTE), 414),
    ],
    ids=["a header", "many headers", "a query", "a path"],
)
def test_headers_and_addresses_without_measure_are_refused(
    target: Target, data: bytes, status: int
) -> None:
    with target.within(cpu_seconds=0.2):
        answer = target.send(data)
    assert (answer.status, answer.closed) == (status, True)


# The contract: no input gets a traceback, and a client that goes away leaves none in the log.
@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
        b"\r\n\r\nX\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n folded: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nBad\x00Name: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\x00b\r\n\r\n",
        b"GET /\x80\xff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        bytes(range(256)) * 100,
    ],
)
def test_what_is_no_request_is_refused(target: Target, data: bytes) -> None:
    answer = target.send(data, timeout=3)
    assert answer.status in (0, 400, 404)


def test_a_client_that_goes_away_leaves_no_trace(target: Target) -> None:
    whole = request("POST", "/api/v1/leads", CONTENT_TYPE, body=form(person(), file_part("a", PDF)))
    with target.storing_nothing():
        for end in (10, 100, 400, len(whole) - 10):
            exchange(target.service.port, whole[:end], cut=True)
    assert BOUNDARY not in target.service.log.encode()
