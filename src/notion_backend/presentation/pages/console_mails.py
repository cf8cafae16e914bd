"""The console's mails: whether they flow, which wait for a person, and sending them again."""

from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from notion_backend.application.accounts.console_sessions import ConsoleVisit
from notion_backend.application.delivery.deliveries import RETRIABLE
from notion_backend.application.services import Services
from notion_backend.core.enums import DeliveryStatus
from notion_backend.core.errors import BusinessError, Conflict, FieldError, InvalidInput, NotFound
from notion_backend.presentation.dependencies import ServicesDep
from notion_backend.presentation.pages.console_access import Form, SameOrigin, Visit
from notion_backend.presentation.pages.console_lead import LEAD_PATH, lead_page, read_lead_id
from notion_backend.presentation.pages.console_page import DONE_FIELD, console_page
from notion_backend.presentation.pages.labels import choose_one_of

router = APIRouter(include_in_schema=False)

MAILS_PATH = "/console/mails"
_ALL = "ALL"
_TABS = (
    DeliveryStatus.FAILED,
    DeliveryStatus.HELD,
    DeliveryStatus.QUEUED,
    DeliveryStatus.SENT,
    _ALL,
)
_LOOKED_AT_FIRST = (DeliveryStatus.FAILED, DeliveryStatus.HELD, DeliveryStatus.QUEUED)
_PAGE_SIZE = 50
_MOST_COUNTED = 10_000
_LONGEST_NUMBER = 9


def _mail_id(mail_id: str) -> UUID:
    try:
        return UUID(mail_id)
    except ValueError:
        raise NotFound("There is no such mail.") from None


_MailId = Annotated[UUID, Depends(_mail_id)]


@router.get(MAILS_PATH)
def mails(
    request: Request, visit: Visit, services: ServicesDep, status: str = "", cursor: str = ""
) -> Response:
    """Show mails, newest first: those that wait for a person unless others are asked for."""
    return _mails_page(request, visit, services, status, cursor)


@router.post(MAILS_PATH + "/{mail_id}/retry", dependencies=[SameOrigin])
def retry(
    request: Request, visit: Visit, form: Form, services: ServicesDep, mail_id: _MailId
) -> Response:
    """Make one mail due now, and lead back to where it was seen."""
    lead_id = read_lead_id(form["lead_id"]) if "lead_id" in form else None
    status, cursor = form.get("status", ""), form.get("cursor", "")
    try:
        services.deliveries.retry(visit.actor, mail_id)
    except Conflict as error:
        if lead_id is not None:
            return lead_page(request, visit, services, lead_id, error)
        return _mails_page(request, visit, services, status, cursor, error)
    if lead_id is not None:
        path = LEAD_PATH.format(lead_id=lead_id)
        return RedirectResponse(f"{path}?{DONE_FIELD}=mail", status_code=303)
    return _back_to_the_list(status=status, cursor=cursor, mail=str(mail_id))


@router.get(MAILS_PATH + "/retry-all")
def ask(request: Request, visit: Visit, services: ServicesDep, status: str = "") -> Response:
    """Say how many mails would be sent, and ask whether that is meant."""
    asked = _status(status)
    if asked not in RETRIABLE:
        raise NotFound("There is nothing at this address; check it.")
    values = {"status": asked, "number": services.deliveries.health().by_status[asked]}
    return console_page(
        request, visit, services, "console/mails_retry.html", values, section=MAILS_PATH
    )


@router.post(MAILS_PATH + "/retry-all", dependencies=[SameOrigin])
def retry_all(request: Request, visit: Visit, form: Form, services: ServicesDep) -> Response:
    """Make all mails of a status due now."""
    status = form.get("status", "")
    try:
        number = services.deliveries.retry_all(visit.actor, _status(status))
    except Conflict as error:
        return _mails_page(request, visit, services, status, "", error)
    return _back_to_the_list(status=status, number=str(number))


def _mails_page(
    request: Request,
    visit: ConsoleVisit,
    services: Services,
    status: str,
    cursor: str,
    error: BusinessError | None = None,
) -> Response:
    health = services.deliveries.health(_MOST_COUNTED)
    most_urgent = next((one for one in _LOOKED_AT_FIRST if health.by_status[one]), _ALL)
    tab = status or most_urgent
    asked = None if tab == _ALL else _status(tab)
    counts: dict[str, int] = {str(one): count for one, count in health.by_status.items()}
    counts[_ALL] = sum(counts.values())
    values = {
        "mails": services.deliveries.page(asked, cursor or None, _PAGE_SIZE),
        "health": health,
        # Of the same moment, or the page could say that mail has stopped and that it flows.
        "mail_trouble": health.trouble,
        "tabs": {one: counts[one] for one in _TABS},
        "tab": tab,
        "cursor": cursor,
        "most_counted": _MOST_COUNTED,
        "retriable": RETRIABLE,
        "retried": _retried(request.query_params.get("mail", ""), services),
        "retried_number": _number(request.query_params.get("number", "")),
    }
    return console_page(
        request, visit, services, "console/mails.html", values, error, section=MAILS_PATH
    )


def _back_to_the_list(**query: str) -> Response:
    given = {name: value for name, value in query.items() if value}
    return RedirectResponse(f"{MAILS_PATH}?{urlencode(given)}", status_code=303)


def _retried(mail_id: str, services: Services) -> object:
    """Return the mail that was just sent again, as it is by now; None if there is none."""
    try:
        return services.deliveries.get(UUID(mail_id)) if mail_id else None
    except (ValueError, NotFound):
        return None


def _number(text: str) -> int | None:
    is_number = text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER
    return int(text) if is_number else None


def _status(text: str) -> DeliveryStatus:
    try:
        return DeliveryStatus(text)
    except ValueError:
        raise InvalidInput.of(FieldError("status", "enum", choose_one_of(DeliveryStatus))) from None
