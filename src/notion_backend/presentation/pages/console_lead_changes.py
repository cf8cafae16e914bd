"""What staff change of a lead: its state, back again, and typing errors."""

from collections.abc import Collection

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from notion_backend.application.accounts.console_sessions import ConsoleVisit
from notion_backend.application.leads.lead_rules import LeadChange, may_undo
from notion_backend.application.services import Services
from notion_backend.core.enums import LeadState
from notion_backend.core.errors import ChangedMeanwhile, InvalidInput
from notion_backend.core.sentences import say
from notion_backend.presentation.dependencies import ServicesDep
from notion_backend.presentation.pages.console_access import Form, SameOrigin, Visit
from notion_backend.presentation.pages.console_lead import (
    LEAD_PATH,
    REACHED_OUT,
    LeadId,
    lead_page,
)
from notion_backend.presentation.pages.console_page import DONE_FIELD
from notion_backend.presentation.pages.lead_list import read_state

router = APIRouter(include_in_schema=False)

_LONGEST_VERSION = 10


@router.post(LEAD_PATH + "/state", dependencies=[SameOrigin])
def change_state(
    request: Request, visit: Visit, form: Form, services: ServicesDep, lead_id: LeadId
) -> Response:
    """Mark a lead as reached out, or as pending again for a reason."""
    state = read_state(form.get("state", ""))
    change = LeadChange(state=state, reason=form.get("reason"))
    done = REACHED_OUT if state is LeadState.REACHED_OUT else "pending"
    return _change(request, visit, services, lead_id, change, form, done)


@router.post(LEAD_PATH + "/undo", dependencies=[SameOrigin])
def undo(
    request: Request, visit: Visit, form: Form, services: ServicesDep, lead_id: LeadId
) -> Response:
    """Take back that a lead was marked, if nothing else has happened to it since."""
    change = LeadChange(state=LeadState.PENDING, reason=say("Undone."))
    form.setdefault("version", "")
    return _change(request, visit, services, lead_id, change, form, "undone")


@router.post(LEAD_PATH + "/correct", dependencies=[SameOrigin])
def correct(
    request: Request, visit: Visit, form: Form, services: ServicesDep, lead_id: LeadId
) -> Response:
    """Correct a typing error in the name or the e-mail address."""
    change = LeadChange(
        first_name=form.get("first_name"),
        last_name=form.get("last_name"),
        email=form.get("email"),
    )
    return _change(request, visit, services, lead_id, change, form, "corrected")


def _change(
    request: Request,
    visit: ConsoleVisit,
    services: Services,
    lead_id: int,
    change: LeadChange,
    form: dict[str, str],
    done: str,
) -> Response:
    try:
        services.leads.change(lead_id, change, visit.actor, _expected_versions(form))
    except (InvalidInput, ChangedMeanwhile) as error:
        if not _is_a_second_click(visit, services, lead_id, error, done):
            return lead_page(request, visit, services, lead_id, error, typed=form)
    path = LEAD_PATH.format(lead_id=lead_id)
    return RedirectResponse(f"{path}?{DONE_FIELD}={done}", status_code=303)


def _is_a_second_click(
    visit: ConsoleVisit, services: Services, lead_id: int, error: Exception, done: str
) -> bool:
    """Tell whether all that happened meanwhile is what this form asks for (RFC 9110 §13.1.1)."""
    if done != REACHED_OUT or not isinstance(error, ChangedMeanwhile):
        return False
    return may_undo(services.leads.get(lead_id), visit.actor)


def _expected_versions(form: dict[str, str]) -> Collection[int] | None:
    """Return the version that the form was made for.

    As with `If-Match`, a form without one sets no condition, so that a firm's own older page goes
    on working, and what cannot be read matches no version.
    """
    text = form.get("version")
    if text is None:
        return None
    is_number = text.isascii() and text.isdigit() and len(text) <= _LONGEST_VERSION
    return [int(text)] if is_number else []
