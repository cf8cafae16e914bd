import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from notion_backend.application.idempotency import KEYS_KEPT_FOR
from notion_backend.application.intake.form_guard import BAIT_TAKEN, TOO_QUICK
from notion_backend.application.intake.intake import Intake, IntakePolicy, Receipt
from notion_backend.application.intake.submissions import CHUNK_BYTES, Submission
from notion_backend.core.clock import utcnow
from notion_backend.core.enums import DeliveryKind, DeliveryStatus, LeadState, Role
from notion_backend.core.errors import Conflict, InvalidInput, Unavailable
from notion_backend.core.lead_query import LeadQuery
from notion_backend.core.rates import Rate
from notion_backend.data.models import IdempotencyRecord, Lead, User
from notion_backend.data.unit_of_work import Database
from notion_backend.mail.queue import MemoryQueue
from tests.conftest import PLAN
from tests.submitting import a_submission, an_upload

POLICY = IntakePolicy(
    base_url="https://firm.example",
    staff_emails=("desk@firm.example", "boss@firm.example"),
    prospect_mail_limit=Rate(3, 3600),
)


@pytest.fixture
def queue() -> MemoryQueue:
    return MemoryQueue()


@pytest.fixture
def open_intake(database: Database, queue: MemoryQueue) -> Iterator[Callable[..., Intake]]:
    opened: list[Intake] = []

    def open_one(policy: IntakePolicy = POLICY) -> Intake:
        opened.append(Intake(database, queue, policy))
        return opened[-1]

    yield open_one
    for intake in opened:
        intake.close()


def submit(intake: Intake, *submissions: Submission) -> list[Receipt | BaseException]:
    async def all_at_once() -> list[Receipt | BaseException]:
        return await asyncio.gather(
            *(intake.submit(submission) for submission in submissions), return_exceptions=True
        )

    return asyncio.run(all_at_once())


def all_leads(database: Database) -> list[Lead]:
    with database.reading() as work:
        return list(work.leads.page(LeadQuery(), behind=None, limit=1000))


def test_a_submission_becomes_a_lead_with_resume_event_and_mails(
    database: Database, open_intake: Callable[..., Intake], queue: MemoryQueue
) -> None:
    content = b"%PDF-1.7\n" + bytes(range(256)) * 12_000
    [receipt] = submit(open_intake(), a_submission(upload=an_upload("Lebenslauf ☕.pdf", content)))

    assert isinstance(receipt, Receipt)
    assert not receipt.replayed
    [lead] = all_leads(database)
    assert (lead.first_name, lead.last_name, lead.email) == ("Zoë", "Ångström", "zoe@example.com")
    assert lead.reference == receipt.reference
    assert lead.state is LeadState.PENDING
    assert lead.created_at == receipt.created_at
    assert lead.resume_filename == "Lebenslauf ☕.pdf"
    assert lead.resume_size == len(content) > 2 * CHUNK_BYTES
    with database.reading() as work:
        assert b"".join(work.resumes.stream(lead.id)) == content
        [event] = work.events.of_lead(lead.id, after_id=0, limit=10)
        deliveries = work.deliveries.of_lead(lead.id)
    assert (event.action, event.actor, event.address) == ("lead.submitted", "prospect", "192.0.2.7")
    assert [(mail.kind, mail.recipient, mail.status) for mail in deliveries] == [
        (DeliveryKind.PROSPECT_CONFIRMATION, "zoe@example.com", DeliveryStatus.QUEUED),
        (DeliveryKind.STAFF_NOTIFICATION, "desk@firm.example", DeliveryStatus.QUEUED),
        (DeliveryKind.STAFF_NOTIFICATION, "boss@firm.example", DeliveryStatus.QUEUED),
    ]
    assert deliveries[1].context["link"] == f"https://firm.example/console/leads/{lead.id}"
    assert sorted(queue.take(10, 0)) == sorted(mail.id for mail in deliveries)


def test_without_staff_emails_every_enabled_user_is_told(
    database: Database, open_intake: Callable[..., Intake]
) -> None:
    with database.writing() as work:
        for name, disabled in (("ann", False), ("bob", True), ("cyd", False)):
            address = f"{name}@firm.example"
            work.users.add(
                User(
                    username=name,
                    email=address,
                    email_folded=address,
                    role=Role.STAFF,
                    disabled=disabled,
                    created_at=utcnow(),
                )
            )
        work.commit()

    submit(open_intake(IntakePolicy("https://firm.example", (), None)), a_submission())

    [lead] = all_leads(database)
    with database.reading() as work:
        told = [mail.recipient for mail in work.deliveries.of_lead(lead.id)[1:]]
    assert told == ["ann@firm.example", "cyd@firm.example"]


def test_sixty_four_at_once_with_one_key_make_one_lead(
    database: Database, open_intake: Callable[..., Intake]
) -> None:
    receipts = submit(open_intake(), *(a_submission(key="one-click") for _ in range(64)))

    assert all(isinstance(receipt, Receipt) for receipt in receipts)
    assert len({receipt.reference for receipt in receipts}) == 1
    assert sum(not receipt.replayed for receipt in receipts) == 1
    [lead] = all_leads(database)
    with database.reading() as work:
        assert len(work.deliveries.of_lead(lead.id)) == 3


def test_one_key_in_two_processes_makes_one_lead(
    database: Database, open_intake: Callable[..., Intake]
) -> None:
    here, there = open_intake(), open_intake()

    async def at_both() -> list[Receipt]:
        return await asyncio.gather(
            *(
                intake.submit(a_submission(key=f"key-{number}"))
                for number in range(20)
                for intake in (here, there)
            )
        )

    receipts = asyncio.run(at_both())
    assert len({receipt.reference for receipt in receipts}) == 20
    assert sum(not receipt.replayed for receipt in receipts) == 20
    assert len(all_leads(database)) == 20


def test_a_key_used_for_other_content_is_refused_and_harms_nobody_else(
    database: Database, open_intake: Callable[..., Intake]
) -> None:
    intake = open_intake()
    submit(intake, a_submission(key="k"))

    reused, other = submit(intake, a_submission(key="k", last_name="Other"), a_submission())

    assert isinstance(reused, InvalidInput)
    assert reused.reason == "idempotency_key_reused"
    assert isinstance(other, Receipt)
    assert len(all_leads(database)) == 2


def test_a_key_is_free_again_after_72_hours(
    database: Database, open_intake: Callable[..., Intake]
) -> None:
    intake = open_intake()
    submit(intake, a_submission(key="old"))
    with database.writing() as work:
        [(record, _)] = work.idempotency.find(["old"]).values()
        record.created_at = utcnow() - KEYS_KEPT_FOR - timedelta(minutes=1)
        work.commit()

    [again] = submit(intake, a_submission(key="old", last_name="Later"))

    assert isinstance(again, Receipt)
    assert not again.replayed
    assert len(all_leads(database)) == 2


def test_the_same_person_without_a_key_is_a_new_lead_each_time(
    database: Database, open_intake: Callable[..., Intake]
) -> None:
    submit(open_intake(), a_submission(), a_submission())
    assert len(all_leads(database)) == 2


def test_confirmations_beyond_the_limit_are_held_and_the_leads_kept(
    database: Database, open_intake: Callable[..., Intake]
) -> None:
    intake = open_intake()
    for _ in range(2):
        submit(intake, *(a_submission(email=f"{name}@Example.com") for name in ("A", "a", "a")))

    leads = all_leads(database)
    assert len(leads) == 6
    with database.reading() as work:
        confirmations = [work.deliveries.of_lead(lead.id)[0] for lead in leads]
    assert [mail.status for mail in confirmations].count(DeliveryStatus.QUEUED) == 3
    held = [mail for mail in confirmations if mail.status is DeliveryStatus.HELD]
    assert len(held) == 3
    assert all("PROSPECT_MAIL_LIMIT" in (mail.last_reply or "") for mail in held)
    assert all(mail.next_attempt_at is None for mail in held)


def test_what_looks_like_a_robots_is_kept_flagged_and_not_confirmed(
    database: Database, open_intake: Callable[..., Intake]
) -> None:
    submit(open_intake(), a_submission(suspicions=(TOO_QUICK, BAIT_TAKEN)))

    (lead,) = all_leads(database)
    assert lead.flagged
    assert [flag["code"] for flag in lead.flags] == ["form_too_quick", "form_bait_taken"]
    with database.reading() as work:
        confirmation, *notifications = work.deliveries.of_lead(lead.id)
    assert confirmation.status is DeliveryStatus.HELD
    assert TOO_QUICK.reason in (confirmation.last_reply or "")
    assert BAIT_TAKEN.reason in (confirmation.last_reply or "")
    assert all(mail.status is DeliveryStatus.QUEUED for mail in notifications)


def test_a_submission_that_cannot_be_stored_does_not_harm_those_beside_it(
    database: Database, open_intake: Callable[..., Intake]
) -> None:
    good, broken = a_submission(), a_submission(last_name="Broken")
    broken.upload.content.close()

    stored, refused, other = submit(open_intake(), good, broken, a_submission())

    assert isinstance(stored, Receipt)
    assert isinstance(other, Receipt)
    assert isinstance(refused, ValueError)
    assert {lead.reference for lead in all_leads(database)} == {stored.reference, other.reference}


def test_nothing_is_taken_while_stopping(open_intake: Callable[..., Intake]) -> None:
    intake = open_intake()
    intake.close()
    [refused] = submit(intake, a_submission())
    assert isinstance(refused, Unavailable)
    assert refused.retry_after


def test_an_erased_lead_takes_its_key_with_it(
    database: Database, open_intake: Callable[..., Intake]
) -> None:
    submit(open_intake(), a_submission(key="k"))
    with database.writing() as work:
        [(record, lead)] = work.idempotency.find(["k"]).values()
        assert isinstance(record, IdempotencyRecord)
        work.leads.erase(lead)
        work.commit()
    with database.reading() as work:
        assert not work.idempotency.find(["k"])


# Not on SQLite: its one writer stores a key before another is looked at.
@pytest.mark.parametrize(
    "database_url", [kind for kind in PLAN.databases if kind != "sqlite"], indirect=True
)
def test_a_key_that_another_process_keeps_in_flight_is_told_within_ten_seconds(
    database: Database, open_intake: Callable[..., Intake]
) -> None:
    intake = open_intake()
    [first] = submit(intake, a_submission())
    [lead] = all_leads(database)
    with database.writing() as other:
        other.idempotency.insert(
            [
                {
                    "key": "k",
                    "content_hash": "0" * 64,
                    "lead_id": lead.id,
                    "created_at": utcnow(),
                }
            ]
        )
        other.flush()
        started = time.monotonic()

        waiting, beside = submit(intake, a_submission(key="k"), a_submission())

        assert time.monotonic() - started < 10
    assert isinstance(waiting, Conflict)
    assert (waiting.reason, waiting.retry_after) == ("idempotency_in_flight", 2)
    assert isinstance(beside, Receipt)
    assert {one.reference for one in all_leads(database)} == {first.reference, beside.reference}
