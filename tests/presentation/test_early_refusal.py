"""A flood of submissions is refused before the application is called, over real sockets."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from notion_backend.presentation.early_refusal import EarlyRefusal
from notion_backend.presentation.middleware import add_middleware
from notion_backend.presentation.middleware.admission import Lane
from tests.presentation.test_admission import ALIVE, LEAD, LIST, Slow
from tests.server.serving import Running, read_all, read_answer, serving, status_of
from tests.waiting import wait_until

ID = b"0123456789abcdef0123456789abcdef"
NAMED = LEAD.replace(b"\r\n\r\n", b"\r\nX-Request-ID: " + ID + b"\r\n\r\n", 1)


class Flooded:
    """A service with one place for a submission, and what it saw."""

    def __init__(self, *, early: bool = True) -> None:
        self.slow = Slow()
        self.lane = Lane(1)
        self.counted: list[tuple[str, int]] = []
        self._early = early

    def create(self) -> Starlette:
        app = Starlette(routes=self.slow.routes)
        add_middleware(
            app,
            trusted_proxies=(),
            allowed_hosts=("localhost",),
            allowed_origins=("https://firm.example",),
            own_body_paths=("/leads", "/"),
            always_answered=("/alive",),
            submissions=self.lane,
            observe=self._observe,
        )
        if self._early:
            app.state.early_refusal = EarlyRefusal(self.lane, path="/leads", count=self._count)
        return app

    @contextmanager
    def serving(self) -> Iterator[Running]:
        """Serve with the one place taken."""
        with serving(self.create) as running, running.connect() as first:
            first.sendall(LEAD)
            wait_until(lambda: self.slow.waiting == 1)
            try:
                yield running
            finally:
                self.slow.release()
                assert status_of(read_answer(first)) == 200

    def _observe(self, method: str, status: int, _seconds: float) -> None:
        self._count(method, status)

    def _count(self, method: str, status: int) -> None:
        self.counted.append((method, status))


@pytest.fixture
def flooded() -> Flooded:
    return Flooded()


def headers_of(answer: bytes) -> dict[bytes, bytes]:
    lines = answer.partition(b"\r\n\r\n")[0].lower().split(b"\r\n")[1:]
    return dict(line.split(b": ", 1) for line in lines)


def statuses(connection: socket.socket, number: int) -> list[int]:
    """Return the statuses of so many answers, however they are cut into packets."""
    received = b""
    while len(found := re.findall(rb"HTTP/1\.1 (\d{3}) ", received)) < number:
        piece = connection.recv(65536)
        assert piece, received
        received += piece
    return [int(status) for status in found]


@contextmanager
def connected(running: Running, sent: bytes) -> Iterator[socket.socket]:
    with running.connect() as connection:
        connection.sendall(sent)
        yield connection


def test_the_early_answer_is_the_one_that_the_application_gives(flooded: Flooded) -> None:
    answers = []
    for service in (flooded, Flooded(early=False)):
        with service.serving() as running, connected(running, NAMED) as late:
            answers.append(read_answer(late))
    early, ordinary = answers
    assert status_of(early) == 503
    assert early.partition(b"\r\n\r\n")[2] == ordinary.partition(b"\r\n\r\n")[2]
    expected = headers_of(ordinary)
    del expected[b"date"]  # RFC 9110 §6.6.1 asks for it in answers below 500
    del expected[b"vary"]  # by CORS, for those who send an Origin
    assert headers_of(early) == expected


def test_the_connection_is_kept_and_the_next_request_on_it_is_served(flooded: Flooded) -> None:
    with flooded.serving() as running, connected(running, LEAD) as late:
        for _ in range(3):
            assert status_of(read_answer(late)) == 503
            late.sendall(ALIVE)
            assert status_of(read_answer(late)) == 200
            late.sendall(LEAD)
        assert status_of(read_answer(late)) == 503
    assert flooded.slow.waiting == 1


def test_submissions_that_stand_one_behind_the_other_are_all_refused(flooded: Flooded) -> None:
    with flooded.serving() as running, connected(running, LEAD * 3 + ALIVE) as late:
        assert statuses(late, 4) == [503, 503, 503, 200]


def test_one_that_stands_behind_a_request_at_work_does_not_overtake_it(
    flooded: Flooded,
) -> None:
    with flooded.serving() as running, connected(running, LIST + LEAD) as late:
        wait_until(lambda: flooded.slow.waiting == 2)
        late.settimeout(0.2)
        with pytest.raises(TimeoutError):
            late.recv(1)
        late.settimeout(10)
        flooded.slow.release()
        # For the second the one place may have been given back by then, or not yet.
        assert statuses(late, 2) in ([200, 200], [200, 503])


def test_those_that_stand_behind_a_request_at_work_speak_for_no_place(
    flooded: Flooded, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected: list[int] = []
    monkeypatch.setattr(flooded.lane, "expect", lambda: expected.append(1))
    with (
        serving(flooded.create) as running,
        connected(running, LIST + LEAD * 50) as one,
    ):
        wait_until(lambda: flooded.slow.waiting == 1)
        behind = list(expected)
        flooded.slow.release()
        assert statuses(one, 51) == [200] * 51
        one.sendall(LEAD)
        assert statuses(one, 1) == [200]
    assert (behind, expected) == ([], [1])


def test_an_address_with_a_query_is_refused_alike(flooded: Flooded) -> None:
    asking = LEAD.replace(b"/leads", b"/leads?x=/leads")
    with flooded.serving() as running, connected(running, asking) as late:
        answer = read_answer(late)
    assert status_of(answer) == 503
    assert b"date" not in headers_of(answer)  # the application's has one


def test_a_client_that_wants_to_close_or_is_still_sending_reads_the_answer_and_the_end(
    flooded: Flooded,
) -> None:
    half = LEAD.replace(b"Length: 2", b"Length: 2000000")
    with flooded.serving() as running:
        for sent in (
            LEAD.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
            LEAD.replace(b"HTTP/1.1", b"HTTP/1.0"),
            half,
            half.removesuffix(b"ok").replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"),
        ):
            with connected(running, sent) as late:
                answer = read_all(late)
            assert status_of(answer) == 503
            assert headers_of(answer)[b"connection"] == b"close"
            assert headers_of(answer)[b"retry-after"] == b"2"
        with connected(running, half) as late:
            for _ in range(20):
                late.sendall(bytes(100_000))  # nobody resets who goes on sending
            assert status_of(read_all(late)) == 503


def test_a_client_may_name_its_request(flooded: Flooded) -> None:
    short = NAMED.replace(ID, b"request-1")
    with flooded.serving() as running, ExitStack() as stack:
        for sent, name in ((NAMED, ID), (short, b"request-1")):
            answer = read_answer(stack.enter_context(connected(running, sent)))
            assert headers_of(answer)[b"x-request-id"] == name
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["request_id"] == name.decode()
        names = set()
        for _ in range(2):
            answer = read_answer(stack.enter_context(connected(running, LEAD)))
            names.add(headers_of(answer)[b"x-request-id"])
        assert len(names) == 2


def test_a_browser_and_a_form_are_refused_by_the_application(flooded: Flooded) -> None:
    browser = LEAD.replace(b"\r\n\r\n", b"\r\nOrigin: https://firm.example\r\n\r\n")
    with flooded.serving() as running, ExitStack() as stack:
        answer = read_answer(stack.enter_context(connected(running, browser)))
        assert status_of(answer) == 503
        assert headers_of(answer)[b"access-control-allow-origin"] == b"https://firm.example"
        page = read_answer(stack.enter_context(connected(running, LEAD.replace(b"/leads", b"/"))))
        assert status_of(page) == 503
        assert headers_of(page)[b"content-type"].startswith(b"text/html")


def test_each_early_answer_is_counted_and_a_flood_is_a_line_a_second(flooded: Flooded) -> None:
    with capture_logs() as logs, flooded.serving() as running, connected(running, b"") as late:
        for _ in range(50):
            late.sendall(LEAD)
            assert status_of(read_answer(late)) == 503
    assert flooded.counted.count(("POST", 503)) == 50
    lines = [line for line in logs if line["event"] == "submissions_refused"]
    assert 1 <= len(lines) <= 10
    assert lines[0]["count"] == 1


def test_once_there_is_room_submissions_are_taken_again(flooded: Flooded) -> None:
    with flooded.serving() as running, connected(running, LEAD) as late:
        assert status_of(read_answer(late)) == 503
        flooded.slow.release()
        wait_until(lambda: flooded.lane.at_work == 0)
        late.sendall(LEAD)
        assert status_of(read_answer(late)) == 200


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ((b"2\r\nok\r\n0\r\n\r\n" + ALIVE,), [503, 200]),
        ((b"2\r\nok\r\n", b"0\r\n\r\n" + ALIVE), [503]),
        ((b"zz\r\n" + ALIVE,), [400]),
    ],
    ids=["whole", "still coming", "broken"],
)
def test_what_stands_behind_a_refused_body_in_chunks_is_never_taken_for_part_of_it(
    flooded: Flooded, pieces: tuple[bytes, ...], expected: list[int]
) -> None:
    head = b"POST /leads HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    with flooded.serving() as running, connected(running, head + pieces[0]) as late:
        assert statuses(late, 1)[0] == expected[0]
        for piece in pieces[1:]:
            late.sendall(piece)
        late.shutdown(socket.SHUT_WR)
        rest = read_all(late)
    assert rest.count(b"HTTP/1.1 ") <= len(expected) - 1
    assert flooded.slow.waiting == 1


def test_a_client_that_takes_no_answers_is_read_no_further(flooded: Flooded) -> None:
    sent = 0
    with flooded.serving() as running, running.connect() as deaf:
        deaf.settimeout(1)
        with pytest.raises(TimeoutError):
            while sent < 100_000_000:
                sent += deaf.send(LEAD * 200)
        with connected(running, ALIVE) as other:
            assert status_of(read_answer(other)) == 200
