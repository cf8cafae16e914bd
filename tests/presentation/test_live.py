"""The stream by which open pages hear that something has happened."""

import re
import socket
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import delete, func, select, update
from structlog.testing import capture_logs

from notion_backend.application.changes import Changes
from notion_backend.core.clock import utcnow
from notion_backend.data.models import Event, Session, User
from notion_backend.presentation import live
from tests.presentation.pages_app import PagesApp
from tests.waiting import wait_until

CHANGED = b"event: changed\n"


class Listener:
    """A browser that listens, byte by byte."""

    def __init__(self, app: PagesApp, cookie: str) -> None:
        port = int(app.base_url.rpartition(":")[2])
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.sendall(
            f"GET /console/live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Accept: text/event-stream\r\nCookie: session={cookie}\r\n\r\n".encode()
        )
        self.received = b""
        self.hears(b"data: ")

    def hears(self, wanted: bytes, count: int = 1) -> None:
        while self.received.count(wanted) < count:
            piece = self.socket.recv(65536)
            assert piece, self.received
            self.received += piece

    def ends(self) -> None:
        while piece := self.socket.recv(65536):
            self.received += piece
            if self.received.endswith(b"0\r\n\r\n"):
                return


@pytest.fixture(autouse=True)
def _nobody_waits(monkeypatch: pytest.MonkeyPatch, app: PagesApp) -> None:
    monkeypatch.setattr(live, "ASK_SECONDS", 0.02)
    monkeypatch.setattr(live, "AGAIN_SECONDS", 0.2)
    app.streams._silence_seconds = live.SILENCE_SECONDS


@pytest.fixture
def client(app: PagesApp) -> Iterator[httpx.Client]:
    with app.signed_in() as browser:
        yield browser


@pytest.fixture
def listen(app: PagesApp, client: httpx.Client) -> Iterator[Callable[[], Listener]]:
    listeners: list[Listener] = []

    def listen_once() -> Listener:
        listeners.append(Listener(app, client.cookies["session"]))
        return listeners[-1]

    yield listen_once
    for listener in listeners:
        listener.socket.close()
    wait_until(lambda: not app.streams._listeners)


def test_who_listens_hears_of_what_happened_and_once_more(
    app: PagesApp, listen: Callable[[], Listener]
) -> None:
    first, second = listen(), listen()
    assert b"content-type: text/event-stream" in first.received.lower()
    _happen(app)
    for listener in (first, second):
        listener.hears(CHANGED, 2)


def test_a_page_learns_whether_it_has_missed_anything(
    app: PagesApp, client: httpx.Client, listen: Callable[[], Listener]
) -> None:
    shown = re.search(r'data-mark="([^"]+)"', client.get("/console").text)
    assert shown
    assert listen().received.endswith(f"event: mark\ndata: {shown[1]}\n\n\r\n".encode())
    _happen(app)
    assert shown[1].encode() not in listen().received


def test_nothing_is_heard_where_nothing_happens(
    app: PagesApp, listen: Callable[[], Listener]
) -> None:
    app.streams._silence_seconds = 0.05
    listener = listen()
    listener.hears(b": still here", 3)
    assert CHANGED not in listener.received


def test_nobody_asks_the_database_when_nobody_listens(
    app: PagesApp, listen: Callable[[], Listener]
) -> None:
    listener = listen()
    assert app.streams._watcher is not None
    listener.socket.close()
    wait_until(lambda: app.streams._watcher is None)
    assert not app.streams._by_session


@pytest.mark.parametrize("how", ["signed out", "disabled", "idle"])
def test_the_stream_ends_with_the_session(
    app: PagesApp, client: httpx.Client, listen: Callable[[], Listener], how: str
) -> None:
    app.streams._silence_seconds = 0.05
    listener = listen()
    with app.database.writing() as work:
        if how == "signed out":
            work._session.execute(update(Session).values(revoked_at=utcnow()))
        elif how == "disabled":
            work._session.execute(update(User).values(disabled=True))
        else:
            past = utcnow() - timedelta(minutes=31)
            work._session.execute(update(Session).values(last_seen_at=past))
        work.commit()
    listener.ends()


def test_listening_and_refreshing_keep_no_session_alive(
    app: PagesApp, client: httpx.Client, listen: Callable[[], Listener]
) -> None:
    past = utcnow() - timedelta(minutes=20)
    with app.database.writing() as work:
        work._session.execute(update(Session).values(last_seen_at=past))
        work.commit()
    app.streams._silence_seconds = 0.05
    listen().hears(b": still here", 2)
    client.get("/console", headers={"HX-Request": "true", "X-Refresh": "1"})
    assert _last_seen(app) == past
    client.get("/console")
    assert _last_seen(app) > past


def test_a_stranger_hears_nothing(app: PagesApp) -> None:
    with app.browser() as stranger:
        assert stranger.get("/console/live").status_code == 204


def test_a_page_that_asks_by_itself_takes_no_session_away(app: PagesApp) -> None:
    refresh = {"HX-Request": "true", "X-Refresh": "1"}
    with app.browser() as client:
        # Its answer may come when the browser has been given a new one.
        client.cookies["session"] = "one-that-has-ended"
        for path, headers in (("/console/live", {}), ("/console", refresh)):
            assert "set-cookie" not in client.get(path, headers=headers).headers
        assert "session=" in client.get("/console").headers["set-cookie"]


def test_a_session_has_so_many_streams_and_no_more(
    app: PagesApp,
    client: httpx.Client,
    listen: Callable[[], Listener],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "MOST_OF_A_SESSION", 2)
    listen(), listen()
    answer = client.get("/console/live")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")
    monkeypatch.setattr(live, "MOST_OF_ALL", 2)
    with app.signed_in() as other:
        assert other.get("/console/live").status_code == 503


def test_a_database_that_does_not_answer_ends_nothing(
    app: PagesApp, listen: Callable[[], Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    listener = listen()
    monkeypatch.setattr(live.LiveStreams, "_mark", _fails_once(live.LiveStreams._mark))
    time.sleep(0.1)
    _happen(app)
    listener.hears(CHANGED)


def test_a_defect_while_looking_ends_nothing_and_is_told(
    app: PagesApp, listen: Callable[[], Listener], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = Changes.mark
    failures = [RuntimeError(), RuntimeError()]

    def mark(changes: Changes) -> str:
        if failures:
            raise failures.pop()
        return looked(changes)

    with capture_logs() as logs:
        listener = listen()
        monkeypatch.setattr(Changes, "mark", mark)
        wait_until(lambda: not failures)
        _happen(app)
        listener.hears(CHANGED)
    assert {"error": "RuntimeError", "event": "live_streams_failed", "log_level": "error"} in logs


def test_an_event_that_takes_the_number_of_an_erased_one_is_heard_of(
    app: PagesApp, listen: Callable[[], Listener]
) -> None:
    _happen(app)
    listener = listen()
    newest = _newest_event_id(app)
    with app.database.writing() as work:
        work._session.execute(delete(Event).where(Event.id == newest))
        work.events.add(Event(at=utcnow(), actor="x", action="lead.erased", detail=""))
        work.commit()
    assert _newest_event_id(app) == newest
    listener.hears(CHANGED)


def _newest_event_id(app: PagesApp) -> int | None:
    with app.database.reading() as work:
        return work._session.scalar(select(func.max(Event.id)))


def _fails_once(mark: Callable[..., object]) -> Callable[..., object]:
    calls: list[int] = []

    async def marked(streams: live.LiveStreams) -> int | None:
        calls.append(1)
        return None if len(calls) < 3 else await mark(streams)  # type: ignore[misc]

    return marked


def _happen(app: PagesApp) -> None:
    with app.database.writing() as work:
        work.events.add(Event(at=utcnow(), actor="x", action="lead.submitted", detail=""))
        work.commit()


def _last_seen(app: PagesApp) -> object:
    with app.database.reading() as work:
        return work._session.scalars(select(Session.last_seen_at)).one()
