"""The pages for people: the public form and the staff console."""

from fastapi import FastAPI

from notion_backend.presentation.pages.console_access import SignInNeeded, lead_to_sign_in
from notion_backend.presentation.pages.console_account import router as account_router
from notion_backend.presentation.pages.console_dashboard import router as dashboard_router
from notion_backend.presentation.pages.console_forgot import router as forgot_router
from notion_backend.presentation.pages.console_form import router as form_page_router
from notion_backend.presentation.pages.console_lead import router as lead_router
from notion_backend.presentation.pages.console_lead_changes import router as changes_router
from notion_backend.presentation.pages.console_lead_erasure import router as erasure_router
from notion_backend.presentation.pages.console_leads import router as leads_router
from notion_backend.presentation.pages.console_live import router as live_router
from notion_backend.presentation.pages.console_mails import router as mails_router
from notion_backend.presentation.pages.console_preview import router as preview_router
from notion_backend.presentation.pages.console_sign_in import router as sign_in_router
from notion_backend.presentation.pages.console_users import router as users_router
from notion_backend.presentation.pages.embedding import router as embed_router
from notion_backend.presentation.pages.look_files import router as look_router
from notion_backend.presentation.pages.public_form import router as form_router
from notion_backend.presentation.pages.rendering import install_templates
from notion_backend.presentation.pages.static_files import STATIC_PATH, StaticPages


def install_pages(app: FastAPI) -> None:
    """Serve all pages and what they load; `app.state` must hold settings and services.

    Raises:
        ConfigurationError: a template of TEMPLATES_DIR cannot be compiled.
    """
    install_templates(app)
    for router in (
        form_router,
        sign_in_router,
        forgot_router,
        live_router,
        leads_router,
        dashboard_router,
        users_router,
        account_router,
        look_router,
        preview_router,
        embed_router,
        form_page_router,
        lead_router,
        changes_router,
        erasure_router,
        mails_router,
    ):
        app.include_router(router)
    app.add_exception_handler(SignInNeeded, lead_to_sign_in)
    app.mount(STATIC_PATH, StaticPages())
