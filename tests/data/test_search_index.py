"""The index of search where the database can have it, and where it cannot."""

from collections.abc import Iterator, Sequence

import pytest
from sqlalchemy import inspect, make_url, text
from structlog.testing import capture_logs

from notion_backend.core.errors import ConfigurationError
from notion_backend.core.lead_query import LeadQuery
from notion_backend.data import migrate, search_index
from notion_backend.data.engine import create_database_engine
from notion_backend.data.unit_of_work import Database
from tests.conftest import PLAN
from tests.factories import a_lead

CLERKS = ("clerk@localhost", "clerk@'%%'")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(create_database_engine(database_url))
    yield database
    database.close()


def found(database: Database, q: str) -> Sequence[str]:
    with database.reading() as work:
        return [one.last_name for one in work.leads.page(LeadQuery(q=q), behind=None, limit=10)]


def store(database: Database, *names: str) -> None:
    with database.writing() as work:
        for name in names:
            a_lead(work, resume=None, last_name=name)
        work.commit()


def test_a_long_text_that_repeats_itself_is_found_as_a_whole(database: Database) -> None:
    store(database, "ann" * 40, "ann" * 39 + "b")
    assert found(database, "ann" * 40) == ["ann" * 40]
    assert found(database, "ann" * 39 + "B") == ["ann" * 39 + "b"]


@pytest.fixture
def own(bare_database_url: str) -> Iterator[Database]:
    """A database that no other test has, for those that take its index away."""
    database = Database(create_database_engine(bare_database_url))
    migrate.upgrade(database.engine)
    yield database
    database.close()


def test_what_is_stored_corrected_and_erased_is_found_so_with_the_index_and_without(
    own: Database,
) -> None:
    for _ in range(2):
        with own.writing() as work:
            kept = a_lead(work, resume=None, last_name="Ångström")
            gone = a_lead(work, resume=None, last_name="Engstrand")
            work.commit()
        assert sorted(found(own, "NGST")) == ["Engstrand", "Ångström"]
        with own.writing() as work:
            lead = work.leads.get(kept.id)
            assert lead is not None
            lead.name("Zoë", "Berg\\100%_", "berg@example.com")
            work.leads.erase(gone)
            work.commit()
        assert found(own, "ngst") == []
        assert found(own, "G\\100%_") == ["Berg\\100%_"]
        with own.reading() as work:
            assert work.leads.count(LeadQuery(q="berg@")) == 1
        with own.writing() as work:
            work.leads.erase(kept)
            work.commit()
        with own.engine.begin() as connection:
            search_index.drop(connection)


def test_the_index_holds_what_was_there_before_it(own: Database) -> None:
    with own.engine.begin() as connection:
        search_index.drop(connection)
    store(own, "Ångström")
    for _ in range(2):
        with own.engine.begin() as connection:
            search_index.drop(connection)
            search_index.create(connection)
        assert found(own, "ngst") == ["Ångström"]


@pytest.mark.parametrize(
    "bare_database_url",
    [kind for kind in PLAN.databases if kind.endswith("mariadb")],
    indirect=True,
)
def test_on_mariadb_who_may_not_create_triggers_searches_without_its_table(
    bare_database_url: str,
) -> None:
    url = make_url(bare_database_url)
    root = create_database_engine(bare_database_url)
    with root.begin() as connection:
        for clerk in CLERKS:
            connection.exec_driver_sql(f"CREATE OR REPLACE USER {clerk} IDENTIFIED BY 'clerk'")
            connection.exec_driver_sql(
                "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES "
                f"ON `{url.database}`.* TO {clerk}"
            )
    own = url.set(username="clerk", password="clerk")
    engine = create_database_engine(own.render_as_string(hide_password=False))
    try:
        with capture_logs() as logs:
            migrate.upgrade(engine)
        assert [one["event"] for one in logs].count("search_without_its_table") == 1
        assert migrate.is_current(engine)
        assert not inspect(engine).has_table(search_index.TABLE)
        database = Database(engine)
        store(database, "Ångström", "Berg")
        assert found(database, "ngst") == ["Ångström"]
    finally:
        engine.dispose()
        with root.begin() as connection:
            connection.exec_driver_sql(f"DROP USER {', '.join(CLERKS)}")
        root.dispose()


@pytest.mark.parametrize(
    "bare_database_url",
    [kind for kind in PLAN.databases if kind.endswith("mariadb")],
    indirect=True,
)
def test_on_mariadb_a_table_whose_triggers_were_lost_is_not_believed(own: Database) -> None:
    with own.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER lead_search_insert")
    store(own, "Ångström")
    assert found(own, "ngst") == ["Ångström"]


@pytest.mark.parametrize("bare_database_url", ["sqlite"], indirect=True)
def test_an_old_sqlite_searches_without_an_index_and_refuses_the_one_of_a_newer_one(
    bare_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_index, "_OLDEST_SQLITE", (99,))
    engine = create_database_engine(bare_database_url)
    migrate.upgrade(engine)
    assert not inspect(engine).has_table(search_index.TABLE)
    database = Database(engine)
    store(database, "Ångström", "Berg")
    assert found(database, "ngst") == ["Ångström"]

    monkeypatch.undo()
    with engine.begin() as connection:
        search_index.create(connection)
    assert found(database, "ngst") == ["Ångström"]
    monkeypatch.setattr(search_index, "_OLDEST_SQLITE", (99,))
    with pytest.raises(ConfigurationError, match="newer SQLite"):
        migrate.upgrade(engine)
    engine.dispose()


@pytest.mark.parametrize(
    "bare_database_url",
    [kind for kind in PLAN.databases if kind.endswith("postgresql")],
    indirect=True,
)
def test_postgresql_finds_its_trigrams_in_whatever_schema_they_are(bare_database_url: str) -> None:
    engine = create_database_engine(bare_database_url)
    with engine.begin() as connection:
        offered = "SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'"
        has_trigrams = connection.execute(text(offered)).first() is not None
        if has_trigrams:
            connection.execute(text("CREATE SCHEMA elsewhere"))
            connection.execute(text("CREATE EXTENSION pg_trgm SCHEMA elsewhere"))
    migrate.upgrade(engine)
    indexes = {one["name"] for one in inspect(engine).get_indexes("leads")}
    assert (search_index.POSTGRESQL_INDEX in indexes) == has_trigrams
    database = Database(engine)
    store(database, "Ångström", "Berg")
    assert found(database, "ngst") == ["Ångström"]
    engine.dispose()
