"""Intake: a submission becomes lead, résumé, event and mails in one commit."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from notion_backend.application.delivery.outbox import new_delivery
from notion_backend.application.idempotency import KEYS_KEPT_FOR
from notion_backend.application.intake.form_guard import held_for
from notion_backend.application.intake.submissions import Submission
from notion_backend.application.shared_commits import SharedCommits
from notion_backend.core.clock import utcnow
from notion_backend.core.enums import DeliveryKind, LeadState
from notion_backend.core.errors import (
    BusinessError,
    Conflict,
    Deadlocked,
    InvalidInput,
    KeyAlreadyUsed,
    LockedTooLong,
)
from notion_backend.core.ids import new_reference
from notion_backend.core.languages import Language, in_language
from notion_backend.core.rates import Rate
from notion_backend.core.sentences import say
from notion_backend.data.rows import DeliveryRow, LeadRow, person_columns
from notion_backend.data.unit_of_work import Database, UnitOfWork
from notion_backend.mail.queue import DeliveryQueue

_TRIES_AGAINST_OTHERS = 3


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a prospect is told; `replayed` when the same key had stored it before."""

    reference: str
    state: LeadState
    created_at: datetime
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class IntakePolicy:
    """What the settings say about intake."""

    base_url: str
    staff_emails: tuple[str, ...]
    """Who is told of a new lead; empty means every enabled user."""
    prospect_mail_limit: Rate | None
    staff_language: Language = Language.ENGLISH


@dataclass(slots=True)
class _Batch:
    """What one transaction stores, and how each submission of it is answered."""

    work: UnitOfWork
    now: datetime
    submissions: list[Submission] = field(default_factory=list)
    leads: list[LeadRow] = field(default_factory=list)
    """One for each of `submissions`."""
    by_key: dict[str, tuple[str, Receipt]] = field(default_factory=dict)
    deliveries: list[DeliveryRow] = field(default_factory=list)


class Intake:
    """Takes submissions; the only door through which leads with a résumé come in."""

    def __init__(self, database: Database, queue: DeliveryQueue, policy: IntakePolicy) -> None:
        self._database = database
        self._queue = queue
        self._policy = policy
        self._commits = SharedCommits(
            self._store_batch, weigh=lambda submission: submission.upload.size
        )

    async def submit(self, submission: Submission) -> Receipt:
        """Store the submission and return its receipt, once it is on stable storage.

        Raises:
            InvalidInput: the idempotency key was used for other content.
            Conflict: a request with the same key has been in flight for too long.
            Unavailable: it cannot be stored now; nothing of it was.
        """
        try:
            outcome = await self._commits.submit(submission)
        except LockedTooLong as error:
            if submission.idempotency_key is None:
                raise
            raise Conflict(
                "A request with this Idempotency-Key is still being stored; send it again soon.",
                code="idempotency_in_flight",
                retry_after=2,
            ) from error
        if isinstance(outcome, BusinessError):
            raise outcome
        return outcome

    def close(self) -> None:
        """Store what waits, then stop."""
        self._commits.close()

    def _store_batch(self, submissions: Sequence[Submission]) -> list[Receipt | BusinessError]:
        """Store, again where another process was first with a key or a row."""
        for _ in range(_TRIES_AGAINST_OTHERS - 1):
            with suppress(KeyAlreadyUsed, Deadlocked):  # the next look sees what the other stored
                return self._store(submissions)
        return self._store(submissions)

    def _store(self, submissions: Sequence[Submission]) -> list[Receipt | BusinessError]:
        with self._database.writing() as work:
            batch = _Batch(work, utcnow())
            self._recall_keys(batch, submissions)
            outcomes = [self._admit(batch, submission) for submission in submissions]
            if batch.leads:
                self._attach(batch, work.leads.insert(batch.leads))
            work.commit()
        self._queue.ring([one["id"] for one in batch.deliveries if not one["last_reply"]])
        return outcomes

    def _recall_keys(self, batch: _Batch, submissions: Sequence[Submission]) -> None:
        keys = [one.idempotency_key for one in submissions if one.idempotency_key]
        if not keys:
            return
        batch.work.idempotency.forget(keys, made_before=batch.now - KEYS_KEPT_FOR)
        for key, (record, lead) in batch.work.idempotency.find(keys).items():
            receipt = Receipt(lead.reference, LeadState.PENDING, lead.created_at, replayed=True)
            batch.by_key[key] = (record.content_hash, receipt)

    def _admit(self, batch: _Batch, submission: Submission) -> Receipt | BusinessError:
        """Answer from the key's record, also of this very batch, or add a new lead."""
        key = submission.idempotency_key
        if key and key in batch.by_key:
            content_hash, receipt = batch.by_key[key]
            if content_hash == submission.content_hash:
                return receipt
            return InvalidInput(
                "This Idempotency-Key was used for another submission; send a new key.",
                code="idempotency_key_reused",
            )
        lead = _new_lead(submission, batch.now)
        batch.submissions.append(submission)
        batch.leads.append(lead)
        receipt = Receipt(lead["reference"], lead["state"], lead["created_at"])
        if key:
            batch.by_key[key] = (submission.content_hash, replace(receipt, replayed=True))
        return receipt

    def _attach(self, batch: _Batch, ids: Sequence[int]) -> None:
        """Store what hangs on the new leads, now that they have their ids."""
        work = batch.work
        stored = list(zip(ids, batch.submissions, strict=True))
        work.idempotency.insert(
            [
                {
                    "key": submission.idempotency_key,
                    "content_hash": submission.content_hash,
                    "lead_id": lead_id,
                    "created_at": batch.now,
                }
                for lead_id, submission in stored
                if submission.idempotency_key
            ]
        )
        work.resumes.insert((lead_id, submission.chunks()) for lead_id, submission in stored)
        work.events.insert(
            [
                {
                    "lead_id": lead_id,
                    "at": batch.now,
                    "actor": "prospect",
                    "action": "lead.submitted",
                    "detail": "",
                    "address": submission.address,
                }
                for lead_id, submission in stored
            ]
        )
        self._add_mails(batch, ids)
        work.deliveries.insert(batch.deliveries)

    def _add_mails(self, batch: _Batch, ids: Sequence[int]) -> None:
        staff = self._policy.staff_emails or tuple(batch.work.users.enabled_emails())
        confirmed = self._confirmations(batch)
        for lead_id, submission, lead in zip(ids, batch.submissions, batch.leads, strict=True):
            batch.deliveries.append(self._confirmation(submission, lead_id, lead, confirmed))
            batch.deliveries += [self._notification(lead_id, lead, to) for to in staff]

    def _confirmations(self, batch: _Batch) -> dict[str, int]:
        limit = self._policy.prospect_mail_limit
        if limit is None:
            return {}
        recipients = sorted({lead["email_sort"] for lead in batch.leads})
        since = batch.now - timedelta(seconds=limit.seconds)
        return batch.work.deliveries.confirmations_since(recipients, since)

    def _confirmation(
        self, submission: Submission, lead_id: int, lead: LeadRow, confirmed: dict[str, int]
    ) -> DeliveryRow:
        limit = self._policy.prospect_mail_limit
        count = confirmed.get(lead["email_sort"], 0)
        held: str | None = None
        if submission.suspicions:
            held = held_for(submission.suspicions)
        elif limit is not None and count >= limit.count:
            held = say("This address was sent as many confirmations as PROSPECT_MAIL_LIMIT allows.")
        else:
            confirmed[lead["email_sort"]] = count + 1
        return new_delivery(
            DeliveryKind.PROSPECT_CONFIRMATION,
            lead["email"],
            {
                "first_name": lead["first_name"],
                "last_name": lead["last_name"],
                "reference": lead["reference"],
                "language": submission.language or self._policy.staff_language,
            },
            now=lead["created_at"],
            lead_id=lead_id,
            held=held,
        )

    def _notification(self, lead_id: int, lead: LeadRow, address: str) -> DeliveryRow:
        language = self._policy.staff_language
        return new_delivery(
            DeliveryKind.STAFF_NOTIFICATION,
            address,
            {
                "first_name": lead["first_name"],
                "last_name": lead["last_name"],
                "email": lead["email"],
                "reference": lead["reference"],
                "resume_filename": lead["resume_filename"] or "",
                "flags": " ".join(in_language(language, flag["reason"]) for flag in lead["flags"]),
                "language": language,
                "link": f"{self._policy.base_url}/console/leads/{lead_id}",
            },
            now=lead["created_at"],
            lead_id=lead_id,
        )


def _new_lead(submission: Submission, now: datetime) -> LeadRow:
    flags = (*submission.flags, *submission.suspicions)
    return {
        **person_columns(submission.first_name, submission.last_name, submission.email),
        "reference": new_reference(),
        "state": LeadState.PENDING,
        "flagged": bool(flags),
        "flags": [{"code": flag.code, "reason": flag.reason} for flag in flags],
        "resume_filename": submission.filename,
        "resume_media_type": submission.media_type,
        "resume_size": submission.upload.size,
        "resume_sha256": submission.upload.sha256,
        "created_at": now,
        "updated_at": now,
        "reached_out_at": None,
        "reached_out_by": None,
        "version": 1,
    }
