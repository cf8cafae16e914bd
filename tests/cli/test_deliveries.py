import json
from collections.abc import Iterator
from contextlib import closing
from uuid import UUID

import pytest

from notion_backend.core.clock import utcnow
from notion_backend.core.enums import DeliveryKind, DeliveryStatus
from notion_backend.data.engine import create_database_engine
from notion_backend.data.unit_of_work import Database
from tests.cli.command import Command
from tests.factories import a_mail, store_mails

STATUSES = (DeliveryStatus.FAILED, DeliveryStatus.FAILED, DeliveryStatus.SENT, DeliveryStatus.HELD)


@pytest.fixture
def ids(notion: Command) -> Iterator[list[UUID]]:
    """The ids of a mail of each of `STATUSES`."""
    assert notion("migrate").status == 0
    database = Database(create_database_engine(f"sqlite:///{notion.data_dir / 'notion.db'}"))
    with closing(database), database.writing() as work:
        mails = []
        for status in STATUSES:
            mail = a_mail(DeliveryKind.STAFF_NOTIFICATION, "bob@example.com", {}, now=utcnow())
            mail.next_attempt_at = None
            mail.status, mail.last_reply = status, "554 5.7.1 \x1b[2Jno\tthanks"
            mails.append(mail)
        store_mails(work, mails)
        work.commit()
        yield [mail.id for mail in mails]


def test_the_ledger_is_listed_newest_first_and_by_status(notion: Command, ids: list[UUID]) -> None:
    listed = [json.loads(line) for line in notion("deliveries", "list", "--json").out.splitlines()]
    assert [one["id"] for one in listed] == [str(one) for one in reversed(ids)]
    failed = notion("deliveries", "list", "--status", "FAILED").out.splitlines()
    assert len(failed) == 3
    assert failed[0].split("\t")[:3] == ["id", "lead_id", "kind"]
    assert "\x1b" not in failed[1]
    assert len(failed[1].split("\t")) == len(failed[0].split("\t"))


def test_a_limit_says_that_there_are_more(notion: Command, ids: list[UUID]) -> None:
    done = notion("deliveries", "list", "--limit", "1", "--json")
    assert json.loads(done.out)["id"] == str(ids[-1])
    assert "more" in done.complaint


def test_single_mails_are_due_again_and_the_others_told_of(
    notion: Command, ids: list[UUID]
) -> None:
    failed, _, sent, held = map(str, ids)
    done = notion("deliveries", "retry", failed, held)
    assert (done.status, done.out) == (0, "Due now: 2.\n")
    assert statuses(notion) == ["QUEUED", "FAILED", "SENT", "QUEUED"]
    refused = notion("deliveries", "retry", sent, failed)
    assert (refused.status, refused.out) == (1, "Due now: 1.\n")
    assert sent in refused.complaint
    unknown = "019e0000-0000-7000-8000-000000000000"
    assert unknown in notion("deliveries", "retry", unknown).complaint


def test_all_that_failed_are_due_again(notion: Command, ids: list[UUID]) -> None:
    assert len(ids) == len(STATUSES)
    assert notion("deliveries", "retry", "--all-failed").out == "Due now: 2.\n"
    assert statuses(notion) == ["QUEUED", "QUEUED", "SENT", "HELD"]


def statuses(notion: Command) -> list[str]:
    lines = notion("deliveries", "list", "--json").out.splitlines()
    return [json.loads(line)["status"] for line in reversed(lines)]
