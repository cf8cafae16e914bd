import os

import pytest

from tests.servers.parts import PARTS, find_program, is_here
from tests.servers.plan import Plan, everything_is_required

UNUSED = "127.0.0.1:1"


def test_the_tests_bring_sqlite_and_postgresql_themselves():
    plan = Plan.of({})
    assert list(plan.databases)[:2] == ["sqlite", "postgresql"]
    assert plan.databases["postgresql"] is None
    assert plan.redis_url is None


def test_a_named_server_that_answers_is_one_more_kind(postgres_server):
    plan = Plan.of({"TEST_DATABASE_URLS": f"{postgres_server.url}, {postgres_server.url},"})
    assert plan.databases["named-postgresql"] == postgres_server.url
    assert plan.databases["named-postgresql-2"] == postgres_server.url
    assert plan.databases["postgresql"] is None


@pytest.mark.parametrize(
    "scheme", ["postgresql", "postgres", "postgresql+psycopg", "mysql", "mariadb"]
)
def test_a_named_server_that_does_not_answer_is_named_without_its_password(scheme):
    plan = Plan.of({"TEST_DATABASE_URLS": f"{scheme}://somebody:secret@{UNUSED}/test"})
    assert not [kind for kind in plan.databases if kind.startswith("named")]
    (line,) = [line for line in plan.missing if UNUSED in line]
    assert "does not answer" in line
    assert "secret" not in line


def test_a_named_redis_is_used_where_it_answers(redis_server):
    assert Plan.of({"TEST_REDIS_URL": redis_server.url}).redis_url == redis_server.url
    redis_server.kill()
    plan = Plan.of({"TEST_REDIS_URL": redis_server.url})
    assert plan.redis_url is None
    assert any("TEST_REDIS_URL" in line for line in plan.missing)


def test_parts_that_the_machine_lacks_are_named_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tests.servers.parts._SYSTEM_FOLDERS", ())
    plan = Plan.of({})
    assert "mariadb" not in plan.databases
    line = plan.summary()[-1]
    assert all(part in line for part in PARTS)
    with pytest.raises(FileNotFoundError, match="strace"):
        find_program("strace")


def test_a_program_is_found_where_path_leads(monkeypatch, tmp_path):
    (tmp_path / "strace").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert is_here("strace")
    assert find_program("strace") == os.fspath(tmp_path / "strace")


@pytest.mark.parametrize(("value", "answer"), [("1", True), ("0", False), ("", False)])
def test_everything_is_required_only_where_it_is_said(value, answer):
    assert everything_is_required({"REQUIRE_ALL": value}) is answer
    assert not everything_is_required({})
