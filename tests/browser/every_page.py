"""Every page that somebody can see, and how a browser comes to it."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page

from tests.browser.sample import Sample

Bring = Callable[[Page], None]


@dataclass(frozen=True)
class Shown:
    """A page: its name, its address (`{pending}` is the id of that lead), what is done there."""

    name: str
    path: str
    signed_in: bool = True
    bring: Bring | None = None
    error: bool = False
    """It is the answer to a mistake."""

    def show(self, page: Page, sample: Sample) -> None:
        """Bring a browser to this page."""
        page.goto(self.path.format(reference=sample.reference, **sample.leads, **sample.users))
        if self.bring is not None:
            self.bring(page)
        page.wait_for_load_state()


def _send_empty(page: Page) -> None:
    page.eval_on_selector_all(
        "main form", "forms => { for (const form of forms) form.noValidate = true }"
    )
    page.locator("main form button[type=submit]").first.click()


def _sign_in_wrongly(page: Page) -> None:
    page.locator("#username").fill("nobody")
    page.locator("#password").fill("not the right one")
    page.locator("main form button[type=submit]").click()


def _mark(page: Page) -> None:
    """Mark a lead, unless an earlier look at this page has done so."""
    button = page.locator("form[action$='/state'] button")
    if page.locator("input[name=state]").get_attribute("value") == "REACHED_OUT":
        button.click()
    else:
        page.goto(f"{page.url}?done=reached_out")


def _correct_wrongly(page: Page) -> None:
    page.locator("#correct summary").click()
    page.locator("#email").fill("nowhere")
    page.locator("#correct button").click()


PUBLIC = (
    Shown("form", "/", signed_in=False),
    Shown("form-mistakes", "/", signed_in=False, bring=_send_empty, error=True),
    Shown("thanks", "/thanks/{reference}", signed_in=False),
    Shown("error", "/thanks/nothing", signed_in=False, error=True),
    Shown("sign-in", "/console/sign-in", signed_in=False),
    Shown(
        "sign-in-refused",
        "/console/sign-in",
        signed_in=False,
        bring=_sign_in_wrongly,
        error=True,
    ),
    Shown("sign-in-ended", "/console/sign-in?ended=yes", signed_in=False),
    Shown("forgot", "/console/forgot", signed_in=False),
    Shown("forgot-sent", "/console/forgot?sent=yes", signed_in=False),
    Shown("forgot-mistakes", "/console/forgot", signed_in=False, bring=_send_empty, error=True),
    Shown("password", "/console/password", signed_in=False),
)
CONSOLE = (
    Shown("leads", "/console"),
    Shown("leads-none", "/console?q=nobody+of+this+name"),
    Shown("leads-found", "/console?state=PENDING&sort=last_name&q=example"),
    Shown("leads-flagged", "/console?flagged=true"),
    Shown("lead", "/console/leads/{pending}"),
    Shown("lead-reached-out", "/console/leads/{reached_out}"),
    Shown("lead-flagged", "/console/leads/{flagged}"),
    Shown("lead-failed-mail", "/console/leads/{failed}"),
    Shown("lead-marked", "/console/leads/{other}", bring=_mark),
    Shown("lead-mistakes", "/console/leads/{pending}", bring=_correct_wrongly, error=True),
    Shown("erase", "/console/leads/{pending}/erase"),
    Shown("erase-mistakes", "/console/leads/{pending}/erase", bring=_send_empty, error=True),
    Shown("mails", "/console/mails"),
    Shown("mails-held", "/console/mails?status=HELD"),
    Shown("mails-waiting", "/console/mails?status=QUEUED"),
    Shown("mails-all", "/console/mails?status=ALL"),
    Shown("mails-retry", "/console/mails/retry-all?status=FAILED"),
    Shown("mails-retry-none", "/console/mails/retry-all?status=QUEUED"),
    Shown("dashboard", "/console/dashboard"),
    Shown("form-page", "/console/form"),
    Shown("users", "/console/users"),
    Shown("users-mistakes", "/console/users", bring=_send_empty, error=True),
    Shown("user", "/console/users/{grace}"),
    Shown("account", "/console/account"),
    Shown("account-mistakes", "/console/account", bring=_send_empty, error=True),
    Shown("console-error", "/console/leads/999999", error=True),
)
PAGES = PUBLIC + CONSOLE
NOT_PAGES = {
    "/console/leads/{lead_id}/resume": "a file",
    "/console/leads/export": "a file",
    "/console/live": "a stream",
    "/console/preview": "an empty frame; tests/browser/test_preview.py",
    "/embed.js": "a script",
    "/look.css": "a style sheet",
    "/look/logo": "a picture",
    "/openapi.json": "the description of the API",
    "/docs": "a viewer of the API, not ours; 485 kB",
    "/redoc": "a viewer of the API, not ours; 327 kB",
}
"""What is served outside the API without being a page, and why."""
