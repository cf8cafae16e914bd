import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from uuid import UUID, uuid4

import pytest
import redis
from structlog.testing import capture_logs

from notion_backend.core.errors import ConfigurationError
from notion_backend.mail.queue import DeliveryQueue, MemoryQueue
from notion_backend.mail.redis_queue import RedisQueue
from tests.servers.process import free_port
from tests.servers.redis import RedisServer
from tests.waiting import wait_until

IDS = [UUID(int=number) for number in range(1, 8)]


@pytest.fixture(params=["memory", "redis"])
def queue(request: pytest.FixtureRequest) -> Iterator[DeliveryQueue]:
    if request.param == "memory":
        made: DeliveryQueue = MemoryQueue()
    else:
        made = RedisQueue(request.getfixturevalue("redis_url"))
    with closing(made):
        yield made


def take_all(queue: DeliveryQueue, count: int) -> list[UUID]:
    taken: list[UUID] = []

    def has_all() -> bool:
        taken.extend(queue.take(100, 0.1))
        return len(taken) >= count

    wait_until(has_all)
    return taken


class TestEveryQueue:
    def test_ids_come_out_as_they_went_in(self, queue: DeliveryQueue) -> None:
        queue.ring(IDS[:2])
        queue.ring([])
        queue.ring(IDS[2:])

        assert take_all(queue, len(IDS)) == IDS
        assert queue.take(10, 0) == []

    def test_no_more_than_the_limit_is_taken(self, queue: DeliveryQueue) -> None:
        queue.ring(IDS)

        assert queue.take(2, 5) == IDS[:2]
        assert queue.take(3, 5) == IDS[2:5]

    def test_a_waiting_take_gets_the_id_as_soon_as_it_comes(self, queue: DeliveryQueue) -> None:
        threading.Timer(0.05, queue.ring, [IDS[:1]]).start()

        started = time.monotonic()
        assert queue.take(10, 10) == IDS[:1]
        assert time.monotonic() - started < 5

    def test_an_empty_take_waits_its_time_and_no_longer(self, queue: DeliveryQueue) -> None:
        started = time.monotonic()

        assert queue.take(10, 0.1) == []
        assert 0.09 < time.monotonic() - started < 2

    @pytest.mark.parametrize("delay", [0, 0.05])
    def test_wake_ends_the_take_that_waits_or_the_next_one(
        self, queue: DeliveryQueue, delay: float
    ) -> None:
        if delay:
            threading.Timer(delay, queue.wake).start()
        else:
            queue.wake()

        started = time.monotonic()
        assert queue.take(10, 10) == []
        assert time.monotonic() - started < 5
        queue.ring(IDS[:1])
        assert take_all(queue, 1) == IDS[:1]

    def test_each_id_goes_to_one_of_many_takers(self, queue: DeliveryQueue) -> None:
        ids = [uuid4() for _ in range(300)]
        taken: list[UUID] = []

        def take() -> None:
            while len(taken) < len(ids):
                taken.extend(queue.take(7, 0.05))

        takers = [threading.Thread(target=take) for _ in range(3)]
        for taker in takers:
            taker.start()
        for id_ in ids:
            queue.ring([id_])
        for taker in takers:
            taker.join(10)
        assert sorted(taken) == sorted(ids)

    def test_close_ends_a_take_and_later_calls_do_no_harm(self, queue: DeliveryQueue) -> None:
        taker = threading.Thread(target=queue.take, args=(10, 30))
        taker.start()
        queue.close()
        taker.join(2)

        assert not taker.is_alive()
        queue.ring(IDS)
        assert isinstance(queue.take(1, 0), list)
        queue.close()

    def test_it_is_healthy(self, queue: DeliveryQueue) -> None:
        queue.ring(IDS)
        assert take_all(queue, len(IDS))

        assert queue.is_healthy()


def test_memory_forgets_the_oldest_ids_when_nobody_takes_any() -> None:
    queue = MemoryQueue(most_ids=3)
    queue.ring(IDS)

    assert queue.take(10, 0) == IDS[-3:]


def test_two_processes_share_the_ids_of_one_redis_and_prefixes_keep_apart(redis_url: str) -> None:
    with (
        closing(RedisQueue(redis_url)) as writer,
        closing(RedisQueue(redis_url)) as reader,
        closing(RedisQueue(redis_url, "other:")) as other,
    ):
        writer.ring(IDS)

        assert take_all(reader, len(IDS)) == IDS
        assert other.take(1, 0) == []


def test_closing_delivers_what_was_rung_last(redis_url: str) -> None:
    writer = RedisQueue(redis_url)
    writer.ring(IDS)
    writer.close()

    with closing(RedisQueue(redis_url)) as reader:
        assert reader.take(100, 0) == IDS


def test_the_list_stays_bounded_when_nobody_takes(redis_url: str) -> None:
    with closing(RedisQueue(redis_url)) as queue:
        queue.ring([UUID(int=number) for number in range(9_000)])
        queue.ring([UUID(int=number) for number in range(9_000)])
        queue.close()

        with redis.Redis.from_url(redis_url) as client:
            assert client.llen("notion:deliveries") <= 10_000


def test_what_is_no_id_is_passed_over(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client, closing(RedisQueue(redis_url)) as queue:
        client.rpush("notion:deliveries", b"rubbish", IDS[0].bytes)

        assert queue.take(10, 5) == IDS[:1]


@contextmanager
def black_hole() -> Iterator[str]:
    """Accept connections and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"


@contextmanager
def babbler(visits: list[object] | None = None) -> Iterator[str]:
    """Answer everything like a web server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        arguments = (listener, [] if visits is None else visits)
        thread = threading.Thread(target=babble, args=arguments, daemon=True)
        thread.start()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def babble(listener: socket.socket, visits: list[object]) -> None:
    while True:
        try:
            connection, address = listener.accept()
        except OSError:
            return
        visits.append(address)
        with connection, suppress(OSError):
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n*x\r\n:x\r\n")


@contextmanager
def nobody() -> Iterator[str]:
    yield f"redis://127.0.0.1:{free_port()}/0"


@contextmanager
def no_such_host() -> Iterator[str]:
    yield "redis://no-such-host.invalid/0"


@contextmanager
def impossible_host() -> Iterator[str]:
    yield f"redis://{'a' * 64}.example/0"


@pytest.mark.parametrize("broken", [nobody, black_hole, babbler, no_such_host, impossible_host])
def test_a_broken_redis_holds_nobody_up_and_is_reported_once(broken: object) -> None:
    assert callable(broken)
    with broken() as url, capture_logs() as logs, closing(RedisQueue(url)) as queue:
        started = time.monotonic()
        for _ in range(20):
            queue.ring(IDS)
        assert time.monotonic() - started < 1
        wait_until(lambda: not queue.is_healthy())
        started = time.monotonic()
        assert queue.take(10, 0.2) == []
        assert queue.take(10, 0.2) == []
        assert time.monotonic() - started >= 0.4
    warnings = [each["action"] for each in logs if each["log_level"] == "warning"]
    assert sorted(warnings) == ["push", "take"]


@pytest.mark.parametrize(
    "trouble",
    [
        {"requirepass": "secret"},
        {"maxmemory": "1"},
        {"min-replicas-to-write": "1"},
    ],
    ids=["password", "memory", "read-only"],
)
def test_a_redis_that_refuses_is_unhealthy_until_it_takes_ids_again(
    redis_server: RedisServer, trouble: dict[str, str]
) -> None:
    with (
        redis.Redis.from_url(redis_server.url) as admin,
        capture_logs() as logs,
        closing(RedisQueue(redis_server.url)) as queue,
    ):
        usual = {name: admin.config_get(name)[name] for name in trouble}
        for name, value in trouble.items():
            admin.config_set(name, value)
        admin.client_kill_filter(skipme=True, _type="normal")
        queue.ring(IDS)
        wait_until(lambda: not queue.is_healthy())
        assert queue.take(1, 0.01) == []
        for name, value in usual.items():
            admin.config_set(name, value)

        assert take_all(queue, len(IDS)) == IDS
        wait_until(queue.is_healthy)
    assert [each["event"] for each in logs].count("queue.recovered") >= 1


def test_a_killed_redis_is_noticed_without_a_ring_and_used_again_when_it_is_back(
    redis_server: RedisServer,
) -> None:
    with closing(RedisQueue(redis_server.url)) as queue:
        queue.ring(IDS[:1])
        assert take_all(queue, 1) == IDS[:1]
        redis_server.kill()
        wait_until(lambda: not queue.is_healthy())
        queue.ring(IDS[1:])
        redis_server.start()

        assert take_all(queue, len(IDS) - 1) == IDS[1:]
        wait_until(queue.is_healthy)


def test_a_broken_redis_is_asked_about_once_a_second() -> None:
    visits: list[object] = []
    with babbler(visits) as url, closing(RedisQueue(url)) as queue:
        wait_until(lambda: not queue.is_healthy())
        began, before = time.monotonic(), len(visits)
        for _ in range(5):
            queue.ring(IDS)
            queue.take(10, 0.1)
        # One for each take, and the doorbell's own; a busy machine takes its time.
        assert len(visits) - before <= 5 + 2 * (1 + time.monotonic() - began)


def test_wake_ends_a_take_that_waits_for_a_broken_redis() -> None:
    with nobody() as url, closing(RedisQueue(url)) as queue:
        threading.Timer(0.05, queue.wake).start()

        started = time.monotonic()
        assert queue.take(10, 10) == []
        assert time.monotonic() - started < 5


@pytest.mark.parametrize("url", ["", "http://host", "redis://host:port/0", "redis://h/0?db=x"])
def test_a_url_that_is_none_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError, match="REDIS_URL"):
        RedisQueue(url)
