"""Erasing a lead: gone from every table, and on SQLite from the files."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import func, make_url, select

from notion_backend.application.actor import Actor
from notion_backend.application.leads.lead_rules import LeadChange
from notion_backend.application.leads.leads import LeadService
from notion_backend.application.paging import Cursors
from notion_backend.core.enums import DeliveryKind, Role
from notion_backend.core.errors import NotFound, PermissionDenied, Unavailable
from notion_backend.core.lead_query import LeadQuery
from notion_backend.data import sqlite
from notion_backend.data.engine import reading
from notion_backend.data.models import (
    Delivery,
    DeliveryAttempt,
    Event,
    IdempotencyRecord,
    Lead,
    ResumeChunk,
)
from notion_backend.data.unit_of_work import Database
from tests.factories import NO_MAIL_FILES, a_lead, a_mail, store_mails
from tests.waiting import wait_until

MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ADMIN = Actor("root", Role.ADMIN, user_id=1, address="203.0.113.7")
STAFF = Actor("ada", Role.STAFF, user_id=2)
TABLES = (Lead, ResumeChunk, Delivery, DeliveryAttempt, IdempotencyRecord, Event)
MARKS = [b"Xanthippe", b"xanthippe", b"Qwertzuiop", b"qwertzuiop", b"secret-address@example.com"]


def store_everything(database: Database) -> int:
    """Store a lead with all that can hang on one."""
    with database.writing() as work:
        lead = a_lead(
            work,
            first_name="Xanthippe",
            last_name="Qwertzuiop",
            email="secret-address@example.com",
            resume=b"%PDF-1.7 Xanthippe Qwertzuiop " * 100_000,
            resume_filename="Xanthippe Qwertzuiop.pdf",
        )
        mail = a_mail(
            DeliveryKind.PROSPECT_CONFIRMATION,
            lead.email,
            {"first_name": lead.first_name},
            now=MONDAY,
            lead_id=lead.id,
        )
        store_mails(work, [mail])
        work.flush()
        work.leases.note_attempt(
            {
                "delivery_id": mail.id,
                "at": MONDAY,
                "stage": "rcpt",
                "reply": f"550 {lead.email} unknown",
            }
        )
        work.leases.save([])
        work.idempotency.insert(
            [
                {
                    "key": uuid4().hex,
                    "content_hash": "0" * 64,
                    "lead_id": lead.id,
                    "created_at": MONDAY,
                }
            ]
        )
        work.events.add(
            Event(
                lead_id=lead.id,
                at=MONDAY,
                actor="ada",
                action="lead.reopened",
                detail="Xanthippe did not answer",
            )
        )
        work.commit()
    return lead.id


def counts(database: Database) -> dict[str, int]:
    with database.engine.connect() as connection:
        return {
            table.__tablename__: connection.scalar(select(func.count()).select_from(table)) or 0
            for table in TABLES
        }


def files_of(database: Database) -> Iterator[Path]:
    main = Path(str(make_url(database.engine.url).database))
    yield from main.parent.glob(f"{main.name}*")


def marks_left(database: Database) -> list[bytes]:
    content = b"".join(path.read_bytes() for path in files_of(database))
    return [mark for mark in MARKS if mark in content]


def test_all_that_hangs_on_a_lead_goes_and_one_event_stays(database: Database) -> None:
    leads = LeadService(database, Cursors(b"secret"), NO_MAIL_FILES)
    other = store_everything(database)
    before = counts(database)
    lead_id = store_everything(database)
    leads.erase(lead_id, ADMIN)
    assert counts(database) == before | {"events": before["events"] + 1}
    with database.reading() as work:
        (event,) = work.events.of_lead(lead_id, after_id=0, limit=10)
    assert (event.actor, event.action, event.detail) == ("root", "lead.erased", "")
    assert leads.get(other).first_name == "Xanthippe"
    assert [found.id for found in leads.page(LeadQuery(q="xanthippe")).items] == [other]


def test_a_second_erasure_finds_nothing(database: Database) -> None:
    leads = LeadService(database, Cursors(b"secret"), NO_MAIL_FILES)
    lead_id = store_everything(database)
    leads.erase(lead_id, ADMIN)
    left = counts(database)
    with pytest.raises(NotFound):
        leads.erase(lead_id, ADMIN)
    assert counts(database) == left


def test_staff_may_not_erase_and_nothing_is_touched(database: Database) -> None:
    lead_id = store_everything(database)
    before = counts(database)
    for known in (lead_id, 4711):
        with pytest.raises(PermissionDenied):
            LeadService(database, Cursors(b"secret"), NO_MAIL_FILES).erase(known, STAFF)
    assert counts(database) == before


def test_no_byte_of_an_erased_lead_is_left_in_the_files(sqlite_database: Database) -> None:
    leads = LeadService(sqlite_database, Cursors(b"secret"), NO_MAIL_FILES)
    lead_id = store_everything(sqlite_database)
    leads.open_resume(lead_id, ADMIN)
    assert marks_left(sqlite_database) == MARKS
    leads.erase(lead_id, ADMIN)
    assert marks_left(sqlite_database) == []


def test_a_correction_leaves_no_byte_of_the_old_name_behind_the_erasure(
    sqlite_database: Database,
) -> None:
    leads = LeadService(sqlite_database, Cursors(b"secret"), NO_MAIL_FILES)
    lead_id = store_everything(sqlite_database)
    leads.change(lead_id, LeadChange(first_name="Zoe", email="z@example.com"), ADMIN)
    leads.erase(lead_id, ADMIN)
    assert marks_left(sqlite_database) == []


@contextmanager
def a_long_reader(database: Database) -> Iterator[None]:
    """Keep what the database holds now, as somebody with a shell of SQLite does."""
    with reading(database.engine).connect() as connection:
        connection.exec_driver_sql("BEGIN")
        assert connection.exec_driver_sql("SELECT count(*) FROM leads").scalar()
        yield


def test_an_erasure_that_waits_for_a_reader_keeps_no_writer_waiting(
    sqlite_database: Database,
) -> None:
    leads = LeadService(sqlite_database, Cursors(b"secret"), NO_MAIL_FILES)
    lead_id = store_everything(sqlite_database)
    with ThreadPoolExecutor(1) as pool:
        with a_long_reader(sqlite_database):
            erasure = pool.submit(leads.erase, lead_id, ADMIN)
            wait_until(lambda: counts(sqlite_database)["leads"] == 0)
            slowest = 0.0
            for _ in range(20):
                started = time.monotonic()
                store_everything(sqlite_database)
                slowest = max(slowest, time.monotonic() - started)
            assert not erasure.done()
        erasure.result(10)
    assert slowest < 2


def test_where_a_reader_kept_the_bytes_a_second_erasure_removes_them(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    impatient = sqlite.purge_deleted_bytes
    monkeypatch.setattr(
        "notion_backend.data.unit_of_work.purge_deleted_bytes",
        lambda engine: impatient(engine, patience=0.1),
    )
    leads = LeadService(sqlite_database, Cursors(b"secret"), NO_MAIL_FILES)
    lead_id = store_everything(sqlite_database)
    with a_long_reader(sqlite_database):
        with pytest.raises(Unavailable):
            leads.erase(lead_id, ADMIN)
        assert counts(sqlite_database)["leads"] == 0
        assert marks_left(sqlite_database)
    with pytest.raises(NotFound):
        leads.erase(lead_id, ADMIN)
    assert marks_left(sqlite_database) == []
