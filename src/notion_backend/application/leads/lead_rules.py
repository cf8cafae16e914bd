"""What staff may change of a lead, as pure functions."""

from dataclasses import dataclass
from datetime import datetime

from notion_backend.application.actor import Actor
from notion_backend.application.fields.personal_fields import clean_person
from notion_backend.application.fields.visible_text import holds_control
from notion_backend.core.enums import LeadState
from notion_backend.core.errors import FieldError, InvalidInput
from notion_backend.core.sentences import say
from notion_backend.data.models import Lead

LONGEST_REASON = 1000


@dataclass(frozen=True, slots=True)
class LeadChange:
    """What is asked for; None leaves that as it is."""

    state: LeadState | None = None
    reason: str | None = None
    """Why a lead goes back to PENDING."""
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What was changed, as the event tells it; nothing personal but a reason in `detail`."""

    action: str
    detail: str = ""


def apply_change(lead: Lead, change: LeadChange, actor: Actor, now: datetime) -> list[Done]:
    """Change the lead and tell what was changed; nothing if it is so already.

    Raises:
        InvalidInput: a corrected field breaks its rule, or a reason is missing; nothing is changed.
    """
    reason = _clean_reason(change.reason or "")
    correction = _clean_correction(change)
    done = _move(lead, change.state, reason, actor, now) + _correct(lead, correction)
    if done:
        lead.version += 1
        lead.updated_at = now
    return done


def may_undo(lead: Lead, actor: Actor) -> bool:
    """Tell whether the last change of the lead was that this person marked it as reached out."""
    return (
        lead.state is LeadState.REACHED_OUT
        and lead.reached_out_by == actor.username
        and lead.reached_out_at == lead.updated_at
    )


def _move(
    lead: Lead, state: LeadState | None, reason: str, actor: Actor, now: datetime
) -> list[Done]:
    if state is None or state is lead.state:
        return []
    if state is LeadState.REACHED_OUT:
        lead.state = state
        lead.reached_out_at, lead.reached_out_by = now, actor.username
        return [Done("lead.reached_out", reason)]
    if not reason:
        raise _wrong_reason("required", "Say why this lead goes back to PENDING.")
    lead.state = state
    lead.reached_out_at = lead.reached_out_by = None
    return [Done("lead.reopened", reason)]


def _correct(lead: Lead, correction: dict[str, str]) -> list[Done]:
    fields = [field for field, value in correction.items() if getattr(lead, field) != value]
    if not fields:
        return []
    person = {"first_name": lead.first_name, "last_name": lead.last_name, "email": lead.email}
    lead.name(**(person | correction))
    return [Done("lead.corrected", ", ".join(fields))]


def _clean_correction(change: LeadChange) -> dict[str, str]:
    given = {
        "first_name": change.first_name,
        "last_name": change.last_name,
        "email": change.email,
    }
    return clean_person({field: value for field, value in given.items() if value is not None})


def _clean_reason(reason: str) -> str:
    reason = reason.replace("\r\n", "\n").strip()
    if len(reason) > LONGEST_REASON:
        raise _wrong_reason(
            "too_long",
            say("Give the reason in {longest} characters or fewer.", longest=LONGEST_REASON),
        )
    if holds_control(reason.replace("\n", "")):
        raise _wrong_reason(
            "forbidden_character", "Type the reason anew, without control characters."
        )
    return reason


def _wrong_reason(code: str, message: str) -> InvalidInput:
    return InvalidInput.of(FieldError("reason", code, message))
