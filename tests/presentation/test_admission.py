"""No more is let in at once than can be answered soon, over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from notion_backend.presentation.middleware import add_middleware
from notion_backend.presentation.middleware.admission import Admission, Lane, submission_lane
from tests.server.serving import Running, read_answer, serving, status_of
from tests.waiting import wait_until

LEAD = b"POST /leads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nok"
FAILING = LEAD.replace(b"ok", b"no")
LIST = b"GET /leads HTTP/1.1\r\nHost: localhost\r\n\r\n"
LARGE = b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n"
ALIVE = b"GET /alive HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Slow:
    """An application that answers no request before it is told to."""

    def __init__(self) -> None:
        self.released = asyncio.Event()
        self.waiting = 0
        self.lane = Lane(2)
        self.large = 0
        """Answers that are written and not taken."""
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def routes(self) -> list[Route]:
        return [Route("/{path:path}", self._answer, methods=["GET", "POST", "DELETE"])]

    def release(self) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self.released.set)

    def create(self) -> Admission:
        return Admission(
            Starlette(routes=self.routes),
            submission_paths={"/leads"},
            always_answered={"/alive"},
            submissions=self.lane,
            most_others=1,
        )

    async def _answer(self, request: Request) -> Response:
        self._loop = asyncio.get_running_loop()
        body = await request.body()
        if body == b"no":
            raise RuntimeError
        if request.url.path == "/large":
            return StreamingResponse(self._pieces())
        if request.url.path != "/alive":
            self.waiting += 1
            await self.released.wait()
        return PlainTextResponse("done")

    async def _pieces(self) -> AsyncIterator[bytes]:
        self.large += 1
        try:
            for _ in range(64):
                yield bytes(1 << 20)
        finally:
            self.large -= 1


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def running(slow: Slow) -> Iterator[Running]:
    with serving(slow.create) as server:
        yield server
        if slow.waiting:
            slow.release()


def test_who_comes_when_all_places_are_taken_is_told_when_to_come_again(
    slow: Slow, running: Running
) -> None:
    with ExitStack() as stack, ThreadPoolExecutor(3) as pool:
        served = [stack.enter_context(running.connect()) for _ in range(3)]
        for connection, request in zip(served, (LEAD, LEAD, LIST), strict=True):
            connection.sendall(request)
        wait_until(lambda: slow.waiting == 3)

        for request in (LEAD, LIST):
            with running.connect() as late:
                late.sendall(request)
                head, _, body = read_answer(late).partition(b"\r\n\r\n")
                assert status_of(head) == 503
                assert b"\r\nretry-after: 2" in head.lower()
                assert b"connection: close" not in head.lower()
                assert json.loads(body)["code"] == "unavailable"
                late.sendall(ALIVE)
                assert status_of(read_answer(late)) == 200

        slow.release()
        assert [status_of(answer) for answer in pool.map(read_answer, served)] == [200] * 3
        served[0].sendall(LEAD)
        assert status_of(read_answer(served[0])) == 200


def test_a_form_that_comes_slowly_keeps_nobody_out(slow: Slow, running: Running) -> None:
    with ExitStack() as stack:
        halves = [stack.enter_context(running.connect()) for _ in range(5)]
        for connection in halves:
            connection.sendall(LEAD[:-1])
        whole = stack.enter_context(running.connect())
        whole.sendall(LEAD)
        wait_until(lambda: slow.waiting == 1)

        # Of those whose end comes now one finds a place; the others learn that there is none.
        for connection in halves:
            connection.sendall(LEAD[-1:])
            wait_until(lambda: slow.waiting == 2)
        for connection in halves[1:]:
            answer = read_answer(connection)
            assert status_of(answer) == 503
            assert b"\r\nretry-after: 2" in answer.lower()
        slow.release()
        assert [status_of(read_answer(one)) for one in (whole, halves[0])] == [200, 200]
        assert slow.waiting == 2


@pytest.mark.parametrize("method", [b"GET", b"DELETE"])
def test_a_body_that_nobody_asked_for_is_no_way_past_the_limit(
    slow: Slow, running: Running, method: bytes
) -> None:
    request = LEAD.replace(b"POST", method)
    with running.connect() as first, running.connect() as second:
        first.sendall(request)
        wait_until(lambda: slow.waiting == 1)
        second.sendall(request)
        assert status_of(read_answer(second)) == 503
        slow.release()
        assert status_of(read_answer(first)) == 200


def test_who_hangs_up_while_at_work_keeps_its_place_until_the_work_is_done(
    slow: Slow, running: Running
) -> None:
    with running.connect() as gone, running.connect() as other:
        for connection in (gone, other):
            connection.sendall(LEAD)
        wait_until(lambda: slow.waiting == 2)
        gone.close()
        with running.connect() as late:
            late.sendall(LEAD)
            assert status_of(read_answer(late)) == 503
            slow.release()
            assert status_of(read_answer(other)) == 200
            late.sendall(LEAD)
            assert status_of(read_answer(late)) == 200


def test_a_site_that_may_send_forms_can_read_that_it_is_refused() -> None:
    slow = Slow()

    def create() -> Starlette:
        app = Starlette(routes=slow.routes)
        add_middleware(
            app,
            trusted_proxies=(),
            allowed_hosts=("localhost",),
            allowed_origins=("https://firm.example",),
            own_body_paths=("/leads",),
            always_answered=(),
            submissions=submission_lane(),
            observe=lambda *_: None,
        )
        return app

    with serving(create) as running, ExitStack() as stack:
        most = 128
        for _ in range(most):
            stack.enter_context(running.connect()).sendall(LEAD)
        wait_until(lambda: slow.waiting == most)
        late = stack.enter_context(running.connect())
        late.sendall(LEAD.replace(b"\r\n\r\n", b"\r\nOrigin: https://firm.example\r\n\r\n"))
        answer = read_answer(late)
        slow.release()
    assert status_of(answer) == 503
    assert b"access-control-allow-origin: https://firm.example" in answer.lower()


def test_who_reads_slowly_keeps_nobody_out(slow: Slow, running: Running) -> None:
    with ExitStack() as stack:
        for number in range(3):
            stack.enter_context(running.connect()).sendall(LARGE)
            wait_until(lambda: slow.large > number)  # noqa: B023
        one = stack.enter_context(running.connect())
        one.sendall(LIST)
        wait_until(lambda: slow.waiting == 1)
        slow.release()
        assert status_of(read_answer(one)) == 200
        assert slow.large == 3


def test_who_fails_or_hangs_up_gives_its_place_back(slow: Slow, running: Running) -> None:
    for _ in range(5):
        with running.connect() as connection:
            connection.sendall(FAILING)
            assert status_of(read_answer(connection)) == 500
        with running.connect() as connection:
            connection.sendall(LEAD[:-1])
    with running.connect() as connection:
        connection.sendall(LEAD)
        wait_until(lambda: slow.waiting == 1)
        slow.release()
        assert status_of(read_answer(connection)) == 200
