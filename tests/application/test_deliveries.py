from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from notion_backend.application.actor import SHELL
from notion_backend.application.delivery.deliveries import DeliveryService
from notion_backend.application.paging import Cursors
from notion_backend.core.clock import utcnow
from notion_backend.core.enums import DeliveryKind, DeliveryStatus
from notion_backend.core.errors import Conflict, InvalidInput, NotFound
from notion_backend.data.models import Delivery
from notion_backend.data.unit_of_work import Database
from notion_backend.mail.queue import MemoryQueue
from tests.factories import a_mail, store_mails


@pytest.fixture
def queue() -> MemoryQueue:
    return MemoryQueue()


@pytest.fixture
def ledger(database: Database, queue: MemoryQueue) -> DeliveryService:
    return DeliveryService(database, queue, Cursors(b"s" * 32))


def store(database: Database, *statuses: DeliveryStatus) -> list[Delivery]:
    later = utcnow() + timedelta(hours=5)
    mails = []
    for number, status in enumerate(statuses):
        mail = a_mail(
            DeliveryKind.PROSPECT_CONFIRMATION, f"p{number}@example.com", {}, now=utcnow()
        )
        mail.status = status
        mail.next_attempt_at = later if status is DeliveryStatus.QUEUED else None
        mails.append(mail)
    with database.writing() as work:
        store_mails(work, mails)
        work.commit()
    return mails


@pytest.mark.parametrize(
    "status", [DeliveryStatus.FAILED, DeliveryStatus.HELD, DeliveryStatus.QUEUED]
)
def test_what_waits_is_due_now_and_the_bell_is_rung(
    database: Database, ledger: DeliveryService, queue: MemoryQueue, status: DeliveryStatus
) -> None:
    [mail] = store(database, status)

    retried = ledger.retry(SHELL, mail.id)

    assert retried.status is DeliveryStatus.QUEUED
    assert retried.next_attempt_at is not None
    assert retried.next_attempt_at <= utcnow()
    assert queue.take(10, 0) == [mail.id]


@pytest.mark.parametrize("status", [DeliveryStatus.SENDING, DeliveryStatus.SENT])
def test_what_is_on_its_way_or_there_is_not_sent_again(
    database: Database, ledger: DeliveryService, queue: MemoryQueue, status: DeliveryStatus
) -> None:
    [mail] = store(database, status)

    with pytest.raises(Conflict):
        ledger.retry(SHELL, mail.id)
    with pytest.raises(Conflict):
        ledger.retry_all(SHELL, status)

    assert ledger.page().items[0].status is status
    assert queue.take(10, 0) == []


def test_a_mail_that_does_not_exist_is_not_found(ledger: DeliveryService) -> None:
    with pytest.raises(NotFound):
        ledger.retry(SHELL, uuid4())
    with pytest.raises(NotFound):
        ledger.of_lead(404)


def test_all_of_a_status_are_sent_again_and_no_other(
    database: Database, ledger: DeliveryService, queue: MemoryQueue
) -> None:
    failed_first, held, failed_last = store(
        database, DeliveryStatus.FAILED, DeliveryStatus.HELD, DeliveryStatus.FAILED
    )

    assert ledger.retry_all(SHELL, DeliveryStatus.FAILED) == 2

    assert set(queue.take(10, 0)) == {failed_first.id, failed_last.id}
    assert [mail.id for mail in ledger.page(DeliveryStatus.HELD).items] == [held.id]
    assert not ledger.page(DeliveryStatus.FAILED).items


def test_the_ledger_is_read_page_by_page_newest_first(
    database: Database, ledger: DeliveryService
) -> None:
    mails = store(database, *[DeliveryStatus.FAILED] * 5, DeliveryStatus.HELD)
    seen: list[UUID] = []
    cursor = None
    while True:
        page = ledger.page(DeliveryStatus.FAILED, cursor, limit=2)
        seen += [mail.id for mail in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert seen == [mail.id for mail in reversed(mails[:5])]
    first = ledger.page(DeliveryStatus.FAILED, None, limit=2)
    with pytest.raises(InvalidInput):
        ledger.page(DeliveryStatus.HELD, first.next_cursor)


def test_attempts_are_kept_in_order_under_their_mail(database: Database) -> None:
    [mail] = store(database, DeliveryStatus.FAILED)
    with database.writing() as work:
        for reply in ("451 later", "550 never"):
            work.leases.note_attempt(
                {"delivery_id": mail.id, "at": utcnow(), "stage": "rcpt", "reply": reply}
            )
            work.leases.save([])
            work.flush()
        work.commit()
    with database.reading() as work:
        attempts = work.deliveries.attempts_of([mail.id])[mail.id]
    assert [attempt.reply for attempt in attempts] == ["451 later", "550 never"]


def test_one_mail_is_read_until_it_is_gone(database: Database, ledger: DeliveryService) -> None:
    [mail] = store(database, DeliveryStatus.HELD)
    assert ledger.get(mail.id).recipient == mail.recipient
    with pytest.raises(NotFound):
        ledger.get(uuid4())


def test_no_more_mails_are_counted_than_asked_for(
    database: Database, ledger: DeliveryService
) -> None:
    store(database, *[DeliveryStatus.SENT] * 3, DeliveryStatus.FAILED)
    none = dict.fromkeys(DeliveryStatus, 0)
    assert ledger.health(2).by_status == none | {DeliveryStatus.SENT: 2, DeliveryStatus.FAILED: 1}
    assert ledger.health().by_status == none | {DeliveryStatus.SENT: 3, DeliveryStatus.FAILED: 1}
