import signal

import psutil
import psycopg
import pytest
import redis

from tests.servers.mariadb import MariaDbServer
from tests.servers.mariadb import answers as mariadb_answers
from tests.servers.postgres import PostgresServer
from tests.servers.postgres import answers as postgres_answers
from tests.servers.process import ServerProcess
from tests.servers.redis import RedisServer, answers
from tests.waiting import wait_until


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_redis_that_was_ended_comes_back_empty_on_its_port(redis_server, end):
    redis.Redis.from_url(redis_server.url).set("key", "value")
    getattr(redis_server, end)()
    assert not answers(redis_server.url)

    redis_server.start()

    assert redis.Redis.from_url(redis_server.url).dbsize() == 0


def test_a_stopped_clock_makes_a_redis_a_black_hole(redis_server):
    redis_server.send_signal(signal.SIGSTOP)
    assert not answers(redis_server.url)

    redis_server.send_signal(signal.SIGCONT)
    assert answers(redis_server.url)


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_finds_redis_empty(redis_url, turn):
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("key", turn)


def test_a_killed_postgresql_ends_its_sessions_and_keeps_what_was_committed(postgres_server):
    with psycopg.connect(postgres_server.url, autocommit=True) as session:
        session.execute("CREATE TABLE kept (number int)")
        session.execute("INSERT INTO kept VALUES (1)")
        postgres_server.kill()
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    assert not postgres_answers(postgres_server.url)

    postgres_server.start()

    with psycopg.connect(postgres_server.url) as session:
        assert session.execute("SELECT number FROM kept").fetchall() == [(1,)]
        assert session.execute("SHOW fsync").fetchone() == ("on",)


@pytest.mark.needs("mariadb")
def test_a_mariadb_of_our_own_comes_back_after_a_kill():
    with MariaDbServer() as server:
        server.kill()
        assert not mariadb_answers(server.url)
        server.start()
        assert mariadb_answers(server.url)
    assert not server.folder.exists()


def test_a_server_that_ends_at_once_is_reported_with_its_log(tmp_path):
    with (
        pytest.raises(RuntimeError, match=r"no-such-option"),
        RedisServer(tmp_path, "--no-such-option", "1"),
    ):
        pass


def test_a_postgresql_that_cannot_start_leaves_no_process_and_no_folder():
    server = PostgresServer("-c", "no_such_setting=1")
    with pytest.raises(RuntimeError, match="no_such_setting"):
        server.start()
    assert not server.is_running()
    server.__exit__()
    assert not server.folder.exists()


def test_killing_a_server_ends_its_children_too(tmp_path):
    server = ShellServer(["sh", "-c", "sleep 1000 & echo $!; wait"], log_file=tmp_path / "log")
    server.start()
    child = int(wait_until(lambda: server.log))

    server.kill()

    assert wait_until(lambda: has_ended(child))


class ShellServer(ServerProcess):
    def is_ready(self):
        return self.log != ""


def has_ended(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
