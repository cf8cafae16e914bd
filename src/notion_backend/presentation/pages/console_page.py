"""A page of the console: who is signed in, and whether mail flows, stand on every one of them."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from notion_backend.application.accounts.console_sessions import ConsoleVisit
from notion_backend.application.services import Services
from notion_backend.core.errors import BusinessError
from notion_backend.core.sentences import Sentence, say
from notion_backend.presentation.content_security import CONSOLE_POLICY
from notion_backend.presentation.pages.rendering import form_page

DONE_FIELD = "done"
"""In the address that a form leads on to: what it has done."""
_NOTICES: Mapping[str, Sentence] = {
    "undone": say("Undone: the lead is pending again."),
    "pending": say("The lead is pending again."),
    "corrected": say("The details are saved."),
    "erased": say("The lead is erased, with its résumé, its mails and its history."),
    "mail": say("The mail is due now; it goes out as soon as mail flows."),
}


def console_page(
    request: Request,
    visit: ConsoleVisit,
    services: Services,
    name: str,
    values: Mapping[str, object],
    error: BusinessError | None = None,
    *,
    section: str = "",
) -> Response:
    """Answer with a page for who is signed in; its form was refused with `error`, if it was.

    `section` is the entry of the menu that the page belongs to, named by its path.
    """
    frame = {
        "visit": visit,
        "section": section,
        "mail_trouble": services.health.mail_trouble(),
        "notice": _NOTICES.get(request.query_params.get(DONE_FIELD, "")),
    }
    return form_page(request, name, {**frame, **values}, error, policy=CONSOLE_POLICY)
