from datetime import UTC, datetime

import pytest
from sqlalchemy import insert, inspect, make_url, select, text, update

from notion_backend.core.enums import Role
from notion_backend.data.engine import create_database_engine
from notion_backend.data.migrate import is_current, upgrade
from notion_backend.data.models import User
from tests.conftest import PLAN
from tests.servers.databases import KeptDatabase

SERVER_KINDS = [kind for kind in PLAN.databases if kind != "sqlite"]


@pytest.fixture
def open_engine():
    engines = []

    def open_one(url):
        engines.append(create_database_engine(url))
        return engines[-1]

    yield open_one
    for engine in engines:
        engine.dispose()


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_finds_a_migrated_database_with_no_user(database_url, open_engine, turn):
    engine = open_engine(database_url)
    assert is_current(engine)
    assert usernames(engine) == []
    add_user(engine, f"user-{turn}")


def test_two_sqlite_databases_share_nothing(databases, open_engine):
    with databases.of("sqlite").migrated() as one, databases.of("sqlite").migrated() as other:
        add_user(open_engine(one), "user")
        assert usernames(open_engine(other)) == []


def test_a_bare_database_has_no_table_and_can_be_migrated(bare_database_url, open_engine):
    engine = open_engine(bare_database_url)
    assert inspect(engine).get_table_names() == []

    upgrade(engine)

    assert is_current(engine)


@pytest.mark.parametrize("kind", SERVER_KINDS)
def test_a_bare_database_is_dropped_under_those_who_still_use_it(databases, kind, open_engine):
    with databases.of(kind).bare() as url:
        connection = open_engine(url).connect()
        connection.execute(text("CREATE TABLE held (number integer)"))
        connection.execute(text("INSERT INTO held VALUES (1)"))

    with databases.of(kind).bare() as other:
        known = inspect(open_engine(other)).get_schema_names()
        if kind.endswith("postgresql"):
            with open_engine(other).connect() as asking:
                known = asking.execute(text("SELECT datname FROM pg_database")).scalars().all()
        assert make_url(other).database in known
        assert make_url(url).database not in known
    connection.invalidate()
    connection.close()


@pytest.mark.parametrize("bare_database_url", SERVER_KINDS, indirect=True)
def test_a_row_that_an_open_transaction_holds_is_removed(bare_database_url, open_engine):
    with KeptDatabase(bare_database_url) as kept:
        engine = open_engine(bare_database_url)
        add_user(engine, "held")
        connection = engine.connect()
        connection.execute(update(User).values(username="still held"))

        kept.empty()

        assert usernames(open_engine(bare_database_url)) == []
        connection.invalidate()
        connection.close()


@pytest.mark.parametrize("bare_database_url", SERVER_KINDS, indirect=True)
def test_rows_that_were_there_from_the_beginning_come_back(bare_database_url, open_engine):
    engine = open_engine(bare_database_url)
    upgrade(engine)
    add_user(engine, "first")
    with KeptDatabase(bare_database_url) as kept:
        add_user(engine, "second")

        kept.empty()

        assert usernames(open_engine(bare_database_url)) == ["first"]
        assert is_current(open_engine(bare_database_url))


def add_user(engine, username):
    values = {
        "username": username,
        "email": f"{username}@example.com",
        "email_folded": f"{username}@example.com",
        "role": Role.STAFF,
        "disabled": False,
        "created_at": datetime(2026, 11, 1, tzinfo=UTC),
    }
    with engine.begin() as connection:
        connection.execute(insert(User).values(**values))


def usernames(engine):
    with engine.connect() as connection:
        return list(connection.execute(select(User.username)).scalars())
