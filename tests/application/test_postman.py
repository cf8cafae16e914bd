import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from notion_backend.application.actor import SHELL
from notion_backend.application.delivery.deliveries import DeliveryService
from notion_backend.application.delivery.leases import LEASE, MOST_DEATHS, Lease, Leases
from notion_backend.application.delivery.postman import MailRoom, Postman
from notion_backend.application.delivery.retry_schedule import LONGEST_DELAY
from notion_backend.application.paging import Cursors
from notion_backend.core.clock import utcnow
from notion_backend.core.enums import DeliveryKind, DeliveryStatus
from notion_backend.data.engine import create_database_engine
from notion_backend.data.models import Delivery, DeliveryAttempt
from notion_backend.data.repositories.leases import LeaseRepository
from notion_backend.data.unit_of_work import Database, UnitOfWork
from notion_backend.mail.messages import Composer
from notion_backend.mail.queue import MemoryQueue
from notion_backend.mail.sender import MailDeferred, MailUncertain
from notion_backend.mail.smtp import SmtpSender
from notion_backend.mail.smtp_session import SmtpServer, Timeouts
from tests.factories import a_mail, store_mails
from tests.servers.smtp_sink import RESET, SmtpSink
from tests.waiting import wait_until

CONTEXT = {"first_name": "Zoë", "last_name": "Ångström", "reference": "REF123"}


class PlainContexts:
    """Shows what the row holds."""

    def context_for(self, _: UnitOfWork, delivery: Delivery) -> Mapping[str, str] | None:
        return None if delivery.recipient.startswith("nobody") else delivery.context


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as server:
        yield server


@pytest.fixture
def leases(database: Database) -> Iterator[Leases]:
    opened = Leases(database, PlainContexts())
    yield opened
    opened.close()


@pytest.fixture
def start_postman(
    database: Database, sink: SmtpSink, tmp_path: Path
) -> Iterator[Callable[..., Postman]]:
    running: list[tuple[Postman, threading.Thread]] = []

    def start(templates: Path | None = None, queue: MemoryQueue | None = None) -> Postman:
        composer = Composer("Firm <no-reply@firm.example>", "", "Firm", templates)
        server = SmtpServer(sink.host, sink.port, "none")
        patience = Timeouts(connect=2, command=2, data=2, dot=2)
        room = MailRoom(
            database,
            queue or MemoryQueue(),
            Leases(database, PlainContexts()),
            composer,
            lambda: SmtpSender(server, timeouts=patience),
        )
        postman = Postman(room)
        thread = threading.Thread(target=postman.run)
        thread.start()
        running.append((postman, thread))
        return postman

    yield start
    for postman, thread in running:
        postman.stop()
        thread.join(20)
        assert not thread.is_alive()


def queue_mails(database: Database, *recipients: str) -> list[Delivery]:
    mails = [
        a_mail(DeliveryKind.PROSPECT_CONFIRMATION, address, CONTEXT, now=utcnow())
        for address in recipients
    ]
    with database.writing() as work:
        store_mails(work, mails)
        work.commit()
    return mails


def look(database: Database, mail: Delivery) -> Delivery:
    with database.reading() as work:
        found = work.deliveries.get(mail.id)
    assert found is not None
    return found


def attempts(database: Database, mail: Delivery) -> list[DeliveryAttempt]:
    with database.reading() as work:
        return list(work.deliveries.attempts_of([mail.id])[mail.id])


def has_status(database: Database, mail: Delivery, status: DeliveryStatus) -> Callable[[], bool]:
    return lambda: look(database, mail).status is status


def test_queued_mails_are_found_without_a_ring_and_sent_once(
    database: Database, start_postman: Callable[..., Postman], sink: SmtpSink
) -> None:
    mails = queue_mails(database, *(f"p{number}@example.com" for number in range(30)))

    start_postman()
    start_postman()

    for mail in mails:
        wait_until(has_status(database, mail, DeliveryStatus.SENT))
        [attempt] = attempts(database, mail)
        assert attempt.stage == "sent"
        assert look(database, mail).attempts == 1
        assert look(database, mail).sent_at is not None
    assert sorted(one.recipient for one in sink.messages) == sorted(one.recipient for one in mails)


def test_a_refused_recipient_fails_at_once_with_the_servers_words_and_others_go_on(
    database: Database, start_postman: Callable[..., Postman], sink: SmtpSink
) -> None:
    sink.script["rcpt"] = lambda line: "550 5.1.1 no such user" if "gone@" in line else None
    gone, fine = queue_mails(database, "gone@example.com", "fine@example.com")

    start_postman()

    wait_until(has_status(database, gone, DeliveryStatus.FAILED))
    wait_until(has_status(database, fine, DeliveryStatus.SENT))
    assert "no such user" in (look(database, gone).last_reply or "")
    assert [attempt.stage for attempt in attempts(database, gone)] == ["rcpt"]
    assert look(database, gone).next_attempt_at is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_server_that_refuses_one_after_another_alarms_until_it_takes_one(
    database: Database, start_postman: Callable[..., Postman], sink: SmtpSink
) -> None:
    sink.script["rcpt"] = "550 5.7.1 relaying denied"
    mails = queue_mails(database, *(f"p{number}@example.com" for number in range(10)))

    start_postman()

    def trouble() -> str | None:
        with database.reading() as work:
            [worker] = work.workers.alive_since(utcnow() - timedelta(minutes=1))
        return worker.outage

    for mail in mails:
        wait_until(has_status(database, mail, DeliveryStatus.FAILED))
    wait_until(lambda: "relaying denied" in (trouble() or ""))
    del sink.script["rcpt"]
    queue_mails(database, "fine@example.com")
    wait_until(lambda: trouble() is None)


def test_a_temporary_refusal_waits_for_its_next_try(
    database: Database, start_postman: Callable[..., Postman], sink: SmtpSink
) -> None:
    sink.script["rcpt"] = ["451 4.7.1 greylisted, try again in 5 minutes"]
    [mail] = queue_mails(database, "grey@example.com")

    start_postman()

    wait_until(lambda: look(database, mail).attempts == 1 and attempts(database, mail))
    waiting = look(database, mail)
    assert waiting.status is DeliveryStatus.QUEUED
    assert waiting.next_attempt_at is not None
    assert waiting.next_attempt_at >= utcnow() + timedelta(seconds=295)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_outage_counts_against_no_mail_and_ends_with_a_probe(
    database: Database, start_postman: Callable[..., Postman], sink: SmtpSink
) -> None:
    sink.stop()
    mails = queue_mails(database, *(f"p{number}@example.com" for number in range(5)))

    start_postman()

    wait_until(lambda: any(look(database, mail).last_reply for mail in mails))
    with database.reading() as work:
        wait_until(lambda: work.workers.alive_since(utcnow() - timedelta(minutes=1)))
    sink.start()
    for mail in mails:
        wait_until(has_status(database, mail, DeliveryStatus.SENT), timeout=20)
        assert look(database, mail).attempts == 1
    assert len(sink.messages) == 5


def test_a_lost_answer_after_the_dot_is_not_tried_again_for_ten_minutes(
    database: Database, start_postman: Callable[..., Postman], sink: SmtpSink
) -> None:
    sink.script["dot"] = [RESET]
    [mail] = queue_mails(database, "p@example.com")

    start_postman()

    wait_until(lambda: attempts(database, mail))
    waiting = look(database, mail)
    assert waiting.status is DeliveryStatus.QUEUED
    assert waiting.next_attempt_at is not None
    assert waiting.next_attempt_at >= utcnow() + timedelta(minutes=9, seconds=50)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_template_that_raises_is_logged_and_the_rest_goes_out(
    database: Database,
    start_postman: Callable[..., Postman],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "mail" / "staff_notification"
    folder.mkdir(parents=True)
    (folder / "body.txt").write_text("{{ 1 / 0 }}")
    [fine] = queue_mails(database, "fine@example.com")
    broken = a_mail(DeliveryKind.STAFF_NOTIFICATION, "s@firm.example", CONTEXT, now=utcnow())
    with database.writing() as work:
        store_mails(work, [broken])
        work.commit()

    start_postman(templates=tmp_path)

    wait_until(has_status(database, fine, DeliveryStatus.SENT))
    wait_until(lambda: attempts(database, broken))
    assert look(database, broken).status is DeliveryStatus.QUEUED
    for _ in range(2):  # as at the second and third try
        seen = look(database, broken).attempts
        with database.writing() as work:
            again = work.deliveries.get(broken.id)
            assert again is not None
            again.next_attempt_at = utcnow()
            work.commit()
        wait_until(lambda seen=seen: look(database, broken).attempts > seen)
    wait_until(has_status(database, broken, DeliveryStatus.FAILED))
    assert {attempt.stage for attempt in attempts(database, broken)} == {"template"}


def test_a_mail_for_nobody_is_dropped(
    database: Database, start_postman: Callable[..., Postman], sink: SmtpSink
) -> None:
    [mail] = queue_mails(database, "nobody@example.com")
    start_postman()

    def is_gone() -> bool:
        with database.reading() as work:
            return work.deliveries.get(mail.id) is None

    wait_until(is_gone)
    assert not sink.messages


def expire(database: Database, lease: Lease) -> None:
    with database.writing() as work:
        mail = work.deliveries.get(lease.delivery_id)
        assert mail is not None
        mail.lease_expires_at = utcnow() - timedelta(seconds=1)
        work.commit()


def test_who_lost_the_lease_changes_nothing(database: Database, leases: Leases) -> None:
    [mail] = queue_mails(database, "p@example.com")
    [paused] = leases.claim(10)
    leases.begin(paused)
    expire(database, paused)
    [taken] = leases.claim(10)
    assert taken.delivery_id == paused.delivery_id

    leases.record_sent(paused, "250 late")
    leases.release(paused)
    leases.record_error(paused, MailDeferred("rcpt", "451 late"))
    leases.renew([paused])

    assert not leases.is_held(paused)
    assert leases.is_held(taken)
    assert leases.begin(paused) is None
    assert look(database, mail).status is DeliveryStatus.SENDING
    assert not attempts(database, mail)


def test_an_answer_from_before_a_pause_is_asked_for_again(
    sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    leases = Leases(sqlite_database, PlainContexts())
    queue_mails(sqlite_database, "p@example.com")
    [lease] = leases.claim(1)
    is_leased = LeaseRepository.is_leased
    pauses = [5.0, 0.0]
    stood_still = 0.0

    def stand_still(*arguments: Any) -> bool:
        nonlocal stood_still
        held = is_leased(*arguments)
        stood_still += (pause := pauses.pop(0))
        if pause:  # meanwhile it has run out, and another worker has it
            expire(sqlite_database, lease)
            leases.claim(1)
        return held

    monkeypatch.setattr(LeaseRepository, "is_leased", stand_still)
    now = time.monotonic
    monkeypatch.setattr("time.monotonic", lambda: now() + stood_still)
    assert not leases.is_held(lease)
    assert not pauses


def test_a_lease_that_stands_is_claimed_by_nobody_else(database: Database, leases: Leases) -> None:
    queue_mails(database, "a@example.com", "b@example.com")
    assert len(leases.claim(10)) == 2
    assert leases.claim(10) == []


def test_what_a_dead_worker_left_goes_before_a_queue_that_is_longer_than_a_batch(
    database: Database, leases: Leases
) -> None:
    [left] = queue_mails(database, "left@example.com")
    [lease] = leases.claim(1)
    expire(database, lease)
    queue_mails(database, *(f"p{number}@example.com" for number in range(3)))
    assert [one.delivery_id for one in leases.claim(2)][:1] == [left.id]


def test_only_the_named_mails_are_claimed_when_the_queue_names_some(
    database: Database, leases: Leases
) -> None:
    _, second = queue_mails(database, "a@example.com", "b@example.com")
    assert [lease.delivery_id for lease in leases.claim(10, [second.id])] == [second.id]


def test_renewing_prolongs_the_lease(database: Database, leases: Leases) -> None:
    [mail] = queue_mails(database, "p@example.com")
    [lease] = leases.claim(1)
    before = look(database, mail).lease_expires_at
    leases.renew([lease])
    after = look(database, mail).lease_expires_at
    assert before is not None
    assert after is not None
    assert before < after <= utcnow() + LEASE


def test_a_mail_in_hand_at_three_deaths_has_failed(database: Database, leases: Leases) -> None:
    [mail] = queue_mails(database, "poison@example.com")
    for _ in range(MOST_DEATHS):
        [lease] = leases.claim(1)
        assert leases.begin(lease) is not None
        expire(database, lease)

    [lease] = leases.claim(1)
    assert leases.begin(lease) is None

    assert look(database, mail).status is DeliveryStatus.FAILED
    assert look(database, mail).attempts == MOST_DEATHS

    DeliveryService(database, MemoryQueue(), Cursors(b"s" * 32)).retry(SHELL, mail.id)
    [lease] = leases.claim(1)
    assert leases.begin(lease) is not None, "a person's retry is a new beginning"


def test_a_death_before_the_exchange_is_not_the_mails_fault(
    database: Database, leases: Leases
) -> None:
    [mail] = queue_mails(database, "p@example.com")
    for _ in range(MOST_DEATHS + 1):
        [lease] = leases.claim(1)
        expire(database, lease)
    [lease] = leases.claim(1)
    assert leases.begin(lease) is not None
    assert look(database, mail).deaths == 0


def test_after_the_last_try_a_mail_has_failed(database: Database, leases: Leases) -> None:
    [mail] = queue_mails(database, "p@example.com")
    with database.writing() as work:
        almost = work.deliveries.get(mail.id)
        assert almost is not None
        almost.attempts = 10
        work.commit()
    [lease] = leases.claim(1)
    leases.begin(lease)
    leases.record_error(lease, MailUncertain("dot", "no answer"))
    assert look(database, mail).status is DeliveryStatus.FAILED


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_stopping_gives_back_what_was_not_begun(
    database: Database, start_postman: Callable[..., Postman], sink: SmtpSink
) -> None:
    sink.stop()
    [mail] = queue_mails(database, "p@example.com")
    postman = start_postman()
    wait_until(lambda: look(database, mail).last_reply)
    postman.stop()
    wait_until(has_status(database, mail, DeliveryStatus.QUEUED))
    assert look(database, mail).lease_token is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_was_sent_while_the_database_was_away_is_recorded_when_it_is_back(
    database: Database, database_url: str, start_postman: Callable[..., Postman], sink: SmtpSink
) -> None:
    [mail] = queue_mails(database, "p@example.com")
    elsewhere = Database(create_database_engine(database_url))
    locked = threading.Event()

    def lock_at_the_dot(_: str) -> None:
        with elsewhere.writing() as work:
            work.workers.remove(mail.id)
            locked.set()
            time.sleep(5.5)  # longer than SQLite's own patience

    sink.script["data"] = lambda line: threading.Thread(
        target=lock_at_the_dot, args=(line,)
    ).start()
    start_postman()

    assert locked.wait(10)
    wait_until(has_status(database, mail, DeliveryStatus.SENT), timeout=20)
    assert len(sink.messages) == 1
    elsewhere.close()


def test_an_exchange_that_was_broken_off_is_no_attempt_and_no_death(
    database: Database, leases: Leases
) -> None:
    [mail] = queue_mails(database, "p@example.com")
    for _ in range(MOST_DEATHS + 1):
        [lease] = leases.claim(1)
        assert leases.begin(lease) is not None
        leases.give_up(lease)
    given_back = look(database, mail)
    assert given_back.status is DeliveryStatus.QUEUED
    assert (given_back.attempts, given_back.deaths) == (0, 0)


def test_nobody_takes_over_what_it_has_in_hand_itself(database: Database, leases: Leases) -> None:
    queue_mails(database, "p@example.com")
    [lease] = leases.claim(1)
    expire(database, lease)
    assert leases.claim(1, but=[lease]) == []
    assert len(leases.claim(1)) == 1


def test_a_lease_from_a_clock_that_was_ahead_ends_soon(database: Database, leases: Leases) -> None:
    [mail] = queue_mails(database, "p@example.com")
    leases.claim(1)
    now = utcnow()
    with database.writing() as work:
        held = work.deliveries.get(mail.id)
        assert held is not None
        held.lease_expires_at = now + timedelta(days=365)
        work.commit()
    with database.writing() as work:
        work.leases.mend_clock(now, LONGEST_DELAY, LEASE)
        work.commit()
    mended = look(database, mail).lease_expires_at
    assert mended is not None
    assert abs(mended - now - LEASE) < timedelta(seconds=1)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_error_that_nobody_foresaw_ends_no_worker(
    database: Database, start_postman: Callable[..., Postman], monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = Leases.claim
    errors = [RuntimeError("unforeseen")]

    def fail_once(*arguments: Any, **options: Any) -> list[Lease]:
        if errors:
            raise errors.pop()
        return claim(*arguments, **options)

    monkeypatch.setattr(Leases, "claim", fail_once)
    [mail] = queue_mails(database, "p@example.com")
    start_postman()
    wait_until(has_status(database, mail, DeliveryStatus.SENT))
    assert not errors
