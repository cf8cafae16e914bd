import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text

from notion_backend.core.clock import utcnow
from notion_backend.core.enums import LeadState, Role
from notion_backend.core.errors import ConfigurationError, Conflict, Unavailable
from notion_backend.core.ids import new_reference
from notion_backend.data import sqlite
from notion_backend.data.engine import create_database_engine, weakness
from notion_backend.data.models import Lead, ResumeChunk, User
from notion_backend.data.unit_of_work import Database
from tests.servers.postgres import PostgresServer


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(create_database_engine(database_url))
    yield opened
    opened.close()


def a_user(username: str = "ann", email: str = "ann@firm.example") -> User:
    return User(
        username=username, email=email, email_folded=email, role=Role.STAFF, created_at=utcnow()
    )


def a_lead() -> Lead:
    now = utcnow()
    lead = Lead(
        reference=new_reference(), state=LeadState.PENDING, created_at=now, updated_at=now, flags=[]
    )
    lead.name("Zoë", "Ångström", "zoe@example.com")
    return lead


def test_without_a_commit_nothing_stays_and_what_was_read_stays_readable(
    database: Database,
) -> None:
    with database.writing() as work:
        work.users.add(a_user())
        work.commit()
    with database.writing() as work:
        changed = work.users.by_username("ann")
        assert changed is not None
        changed.email = "other@firm.example"
    assert changed.username == "ann"
    with database.reading() as work:
        kept = work.users.by_username("ann")
    assert kept is not None
    assert kept.email == "ann@firm.example"


def test_what_only_reads_stores_nothing_and_holds_no_old_state(database: Database) -> None:
    with database.writing() as work:
        work.users.add(a_user())
        work.commit()
    with database.reading() as reading:
        read = reading.users.by_username("ann")
        assert read is not None
        read.email = "never@firm.example"
        with database.writing() as work:
            work.users.add(a_user("bob", "bob@firm.example"))
            work.commit()
        assert reading.users.by_username("bob") is not None
    with database.reading() as reading:
        kept = reading.users.by_username("ann")
    assert kept is not None
    assert kept.email == "ann@firm.example"


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (("ann", "other@firm.example"), "username_taken"),
        (("other", "ann@firm.example"), "email_taken"),
    ],
)
def test_a_username_and_an_address_belong_to_one_user(
    database: Database, second: tuple[str, str], code: str
) -> None:
    with database.writing() as work:
        work.users.add(a_user())
        work.commit()
    with pytest.raises(Conflict) as refused, database.writing() as work:
        work.users.add(a_user(*second))
        work.commit()
    assert refused.value.reason == code


def test_usernames_that_differ_in_an_accent_are_two(database: Database) -> None:
    with database.writing() as work:
        work.users.add(a_user("jose", "a@firm.example"))
        work.users.add(a_user("josé", "b@firm.example"))
        work.commit()


def test_times_come_back_aware_in_utc_to_the_microsecond(database: Database) -> None:
    moment = datetime(2026, 3, 29, 2, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5)))
    lead = a_lead()
    lead.created_at = moment
    with database.writing() as work:
        work._session.add(lead)
        work.commit()
    with database.reading() as work:
        found = work.leads.get(lead.id)
    assert found is not None
    assert found.created_at == moment
    assert found.created_at.tzinfo is UTC


def test_a_naive_time_never_reaches_the_database(database: Database) -> None:
    lead = a_lead()
    lead.created_at = datetime(2026, 1, 1)  # noqa: DTZ001 - the mistake under test
    with pytest.raises(Exception, match="naive"), database.writing() as work:
        work._session.add(lead)
        work.commit()


def test_states_are_stored_as_their_words_and_others_refused(database: Database) -> None:
    lead = a_lead()
    with database.writing() as work:
        work._session.add(lead)
        work.commit()
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT state FROM leads")).scalar() == "PENDING"
    with pytest.raises(Exception, match=r"(?i)ck_leads_state|constraint"):  # noqa: SIM117
        with database.engine.begin() as connection:
            connection.execute(text("UPDATE leads SET state = 'WON'"))


def test_nothing_hangs_on_a_lead_that_does_not_exist(database: Database) -> None:
    with pytest.raises(Exception, match=r"(?i)foreign key"), database.writing() as work:
        work.resumes.insert([(404, [b"x"])])
        work.commit()


def test_names_in_any_script_come_back_as_they_were(database: Database) -> None:
    lead = a_lead()
    lead.name("👩‍👩‍👧" * 40, "مريم " * 20 + "x", "用户@例え.jp")
    with database.writing() as work:
        work._session.add(lead)
        work.commit()
    with database.reading() as work:
        found = work.leads.get(lead.id)
    assert found is not None
    assert (found.first_name, found.last_name, found.email) == (
        lead.first_name,
        lead.last_name,
        lead.email,
    )


def test_a_resume_of_eleven_megabytes_fits(database: Database) -> None:
    lead = a_lead()
    chunk = bytes(range(256)) * 4096
    with database.writing() as work:
        work._session.add(lead)
        work.flush()
        work.resumes.insert([(lead.id, [chunk] * 11)])
        work.commit()
    with database.reading() as work:
        assert b"".join(work.resumes.stream(lead.id)) == chunk * 11
    assert ResumeChunk.__tablename__ == "resume_chunks"


def test_sqlite_syncs_every_commit_and_erases_what_it_deletes(sqlite_url: str) -> None:
    engine = create_database_engine(sqlite_url)
    with engine.connect() as connection:
        said = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert said == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}
    assert sqlite.is_safe_for_many_processes()
    engine.dispose()


def test_a_locked_sqlite_is_unavailable_and_then_available_by_itself(sqlite_url: str) -> None:
    holder, database = (Database(create_database_engine(sqlite_url)) for _ in range(2))
    with database.engine.connect() as connection:
        connection.detach()
    with holder.writing() as work:
        work.users.add(a_user())
        work.flush()
        with pytest.raises(Unavailable) as refused, database.writing() as other:
            other.users.add(a_user("bob", "bob@firm.example"))
            other.commit()
        assert refused.value.retry_after
    with database.writing() as other:
        other.users.add(a_user("bob", "bob@firm.example"))
        other.commit()
    holder.close()
    database.close()


def test_a_postgresql_that_is_away_is_unavailable_and_its_return_is_noticed(
    postgres_server: PostgresServer,
) -> None:
    database = Database(create_database_engine(postgres_server.url))
    with database.reading() as work:
        assert work.is_answering()
    postgres_server.kill()
    with pytest.raises(Unavailable), database.reading() as work:
        work.is_answering()
    postgres_server.start()
    with database.reading() as work:
        assert work.is_answering()
    database.close()


def test_a_server_that_does_not_sync_is_named(
    database: Database,
) -> None:
    assert weakness(database.engine) is None


@pytest.mark.parametrize(
    "url", ["nonsense", "oracle://u@h/d", "postgresql://localhost", "mysql://root@h"]
)
def test_a_database_url_that_cannot_be_used_is_told_in_one_line(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        create_database_engine(url)
    assert str(refused.value).startswith("DATABASE_URL: ")


def test_nobody_listening_is_unavailable(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        database = Database(create_database_engine(f"postgresql://u@127.0.0.1:{port}/d"))
        with pytest.raises(Unavailable), database.reading() as work:
            work.users.enabled_emails()
        database.close()
