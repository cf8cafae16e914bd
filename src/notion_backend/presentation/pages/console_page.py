"""A page of the console: who is signed in, and whether mail flows, stand on every one of them."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from notion_backend.application.accounts.console_sessions import ConsoleVisit
from notion_backend.application.services import Services
from notion_backend.core.errors import BusinessError
from notion_backend.presentation.content_security import CONSOLE_POLICY
from notion_backend.presentation.pages.rendering import form_page


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
    }
    return form_page(request, name, {**frame, **values}, error, policy=CONSOLE_POLICY)
