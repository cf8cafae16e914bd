"""What must hold after a round: I1 to I10 of `docs/delivery.md` (I11 is the restart's own)."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, text

from tests.crash.cluster import STAFF, reading
from tests.crash.ledger import Intent, Ledger
from tests.servers.smtp_sink import Received
from tests.waiting import wait_until

_UNSENT = "SELECT count(*) FROM deliveries WHERE status IN ('QUEUED', 'SENDING')"
DRAIN_SECONDS = 60.0


@dataclass(slots=True)
class Verdict:
    """What was found wrong, each with its invariant in front, and what was counted."""

    violations: list[str] = field(default_factory=list)
    leads: int = 0
    copied: list[Sequence[Received]] = field(default_factory=list)
    """Mails that were accepted more than once."""

    @property
    def duplicates(self) -> int:
        """How many copies there are beyond one of each mail."""
        return sum(len(copies) - 1 for copies in self.copied)

    def expect(self, holds: object, sentence: str) -> None:
        if not holds:
            self.violations.append(sentence)


def wait_for_mails(engine: Engine) -> str | None:
    """Wait until no mail is under way; return what stays unsent after a minute (I3)."""
    try:
        wait_until(lambda: _value(engine, _UNSENT) == 0, DRAIN_SECONDS)
    except AssertionError:
        rows = _rows(
            engine,
            "SELECT id, status, attempts, last_reply FROM deliveries "
            "WHERE status IN ('QUEUED', 'SENDING') LIMIT 3",
        )
        return f"I3: mails are under way for ever, such as {[tuple(r.values()) for r in rows]}"
    return None


class Accepted:
    """What the mail server has accepted, by delivery; each message is parsed once."""

    def __init__(self, messages: Sequence[Received]) -> None:
        self._messages = messages
        self._seen = 0
        self.by_delivery: dict[str, list[Received]] = defaultdict(list)

    def update(self) -> None:
        """Look at what has come since."""
        for message in self._messages[self._seen :]:
            self.by_delivery[id_of(message.message_id)].append(message)
            self._seen += 1


def verify(
    engine: Engine,
    ledger: Ledger,
    accepted: Accepted,
    *,
    after_lead: int,
) -> Verdict:
    """Look at every lead behind `after_lead`, and at the mails of all of them.

    Args:
        engine: of the database, whose mails have come to rest.
        ledger: what was asked for and acknowledged.
        accepted: what the mail server has accepted, from the beginning.
        after_lead: leads up to this id were verified before.
    """
    verdict = Verdict()
    leads = list(_rows(engine, "SELECT * FROM leads WHERE id > :after ORDER BY id", after_lead))
    mails = defaultdict(list)
    for mail in _rows(engine, "SELECT * FROM deliveries WHERE lead_id > :after", after_lead):
        mails[mail["lead_id"]].append(mail)
    for lead in leads:
        verdict.leads += 1
        intent = ledger.intents.get(lead["email"])
        if intent is None:
            verdict.expect(False, f"I6: nobody asked for lead {lead['id']}")
            continue
        _verify_lead(verdict, engine, lead, intent)
        _verify_mails(verdict, lead, mails[lead["id"]], accepted.by_delivery)
    for email, number in Counter(lead["email"] for lead in leads).items():
        verdict.expect(number == 1, f"I9: one submission, of {email}, made {number} leads")
    return verdict


def verify_database(engine: Engine) -> list[str]:
    """Look at the database as a whole (I7, I8)."""
    found = []
    for table in ("resume_chunks", "deliveries"):
        orphans = _value(
            engine,
            f"SELECT count(*) FROM {table} WHERE lead_id IS NOT NULL "
            "AND lead_id NOT IN (SELECT id FROM leads)",
        )
        if orphans:
            found.append(f"I7: {orphans} rows of {table} without a lead")
    if engine.dialect.name == "sqlite":
        # A connection that checked before still has the segments that FTS5 had then in mind, and
        # calls those that others have merged since corrupt (seen with SQLite 3.53.4).
        engine.dispose()
        with reading(engine).connect() as connection:
            said = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
            if said != "ok":
                found.append(f"I8: {said}")
            if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                found.append("I8: a foreign key leads nowhere")
    return found


def last_lead(engine: Engine) -> int:
    """Return the greatest id."""
    return _value(engine, "SELECT coalesce(max(id), 0) FROM leads")


def _verify_lead(verdict: Verdict, engine: Engine, lead: Mapping[str, Any], intent: Intent) -> None:
    columns = ("first_name", "last_name", "resume_filename", "resume_size", "state")
    wanted = (intent.first_name, intent.last_name, intent.filename, len(intent.resume), "PENDING")
    same = tuple(lead[column] for column in columns) == wanted
    verdict.expect(same, f"I1: lead {lead['id']} is not what was sent")
    events = _rows(engine, "SELECT action FROM events WHERE lead_id = :after", lead["id"])
    once = [row["action"] for row in events].count("lead.submitted") == 1
    verdict.expect(once, f"I1: the history of lead {lead['id']} does not begin with its arrival")
    digest = hashlib.sha256()
    for chunk in _rows(
        engine,
        "SELECT content FROM resume_chunks WHERE lead_id = :after ORDER BY position",
        lead["id"],
    ):
        digest.update(chunk["content"])
    whole = digest.hexdigest() == intent.sha256 == lead["resume_sha256"]
    verdict.expect(whole, f"I7: the résumé of lead {lead['id']} is not what was sent")


def _verify_mails(
    verdict: Verdict,
    lead: Mapping[str, Any],
    mails: Sequence[Mapping[str, Any]],
    accepted: Mapping[str, Sequence[Received]],
) -> None:
    wanted = Counter([("prospect_confirmation", lead["email"])])
    wanted.update(("staff_notification", address) for address in STAFF)
    verdict.expect(
        Counter((mail["kind"], mail["recipient"]) for mail in mails) == wanted,
        f"I2: lead {lead['id']} has {len(mails)} mails",
    )
    for mail in mails:
        name = f"mail {mail['id']} of lead {lead['id']}"
        verdict.expect(mail["status"] == "SENT", f"I3: {name} is {mail['status']}")
        copies = accepted.get(id_of(str(mail["id"])), ())
        verdict.expect(
            copies and all(copy.recipient == mail["recipient"] for copy in copies),
            f"I4: {name} did not reach {mail['recipient']}",
        )
        verdict.expect(
            all(lead["reference"].encode() in copy.data for copy in copies),
            f"I4: {name} tells of another lead",
        )
        verdict.expect(len({copy.data for copy in copies}) <= 1, f"I5: copies of {name} differ")
        if len(copies) > 1:
            verdict.copied.append(copies)


def lost(engine: Engine, ledger: Ledger, round_number: int, erased: set[str]) -> list[str]:
    """Find acknowledged leads of a round that are not there (I1)."""
    told = {
        (intent.email, reference)
        for intent in ledger.acknowledged(round_number)
        if intent.email not in erased
        for reference in ledger.acks[intent.email]
    }
    kept = {
        (row["email"], row["reference"])
        for row in _rows(engine, "SELECT email, reference FROM leads")
    }
    return [f"I1: acknowledged lead {one} is lost" for _, one in told - kept]


def strangers(engine: Engine, accepted: Accepted, before: set[str]) -> list[str]:
    """Find accepted mails that belong to no mail of the database, nor did before (I10)."""
    known = {id_of(str(row["id"])) for row in _rows(engine, "SELECT id FROM deliveries")} | before
    return [
        f"I10: nobody asked for the mail {one} to {copies[0].recipient}"
        for one, copies in accepted.by_delivery.items()
        if one not in known
    ]


def mail_ids(engine: Engine, lead_id: int) -> set[str]:
    """Return the mails of a lead that is going to be erased."""
    found = _rows(engine, "SELECT id FROM deliveries WHERE lead_id = :after", lead_id)
    return {id_of(str(row["id"])) for row in found}


def id_of(written: str) -> str:
    """Return a delivery's id, however the database or a Message-ID writes it."""
    return written.strip("<>").partition("@")[0].replace("-", "")


def _rows(engine: Engine, query: str, after: int = 0) -> Iterator[dict[str, Any]]:
    with reading(engine).connect() as connection:
        for row in connection.execute(text(query), {"after": after}).mappings():
            yield dict(row)


def _value(engine: Engine, query: str) -> int:
    with reading(engine).connect() as connection:
        return int(connection.exec_driver_sql(query).scalar_one())
