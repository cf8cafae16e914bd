"""What other sites send in a signed-in person's name changes nothing."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from notion_backend.core.clock import utcnow
from notion_backend.core.enums import DeliveryKind, LeadState
from tests.factories import a_mail, store_mails
from tests.presentation.pages_app import HTML, PASSWORD, PagesApp, hidden

FORGED: dict[str, dict[str, Any]] = {
    "no token": {"fields": {"csrf_token": None}},
    "token of another session": {"fields": {"csrf_token": "theirs"}},
    "made-up token": {"fields": {"csrf_token": "é" * 64}},
    "another origin": {"headers": {"Origin": "https://evil.example"}},
    "no origin to be named": {"headers": {"Origin": "null"}},
    "our host under another scheme and port": {"headers": {"Origin": "https://127.0.0.1"}},
    "another site": {"headers": {"Sec-Fetch-Site": "cross-site"}},
    "a sibling's site": {"headers": {"Sec-Fetch-Site": "same-site"}},
    "another referer": {"headers": {"Origin": None, "Referer": "https://evil.example/console"}},
    "text": {"headers": {"Content-Type": "text/plain"}},
    "no type": {"headers": {"Content-Type": None}},
}


@pytest.mark.parametrize("case", FORGED)
def test_a_forged_form_changes_nothing(app: PagesApp, lead_id: int, case: str) -> None:
    forms = _forms(app, lead_id)
    with app.signed_in() as client, app.signed_in() as other:
        tokens = {
            "ours": hidden(client.get("/console/account"), "csrf_token"),
            "theirs": hidden(other.get("/console/account"), "csrf_token"),
        }
        for path, fields in forms:
            before = _contents(app)
            forged = FORGED[case] | {"fields": fields | FORGED[case].get("fields", {})}
            answer = _post(client, path, tokens, **forged)
            assert (answer.status_code, answer.headers["content-type"]) == (403, HTML), path
            assert _contents(app) == before
            assert _post(client, path, tokens, fields).status_code == 303, path
            assert _contents(app) != before


@pytest.mark.parametrize("headers", [{"Origin": None}, {"Sec-Fetch-Site": "same-origin"}])
def test_our_own_form_is_let_in(app: PagesApp, lead_id: int, headers: dict[str, Any]) -> None:
    path = f"/console/leads/{lead_id}"
    with app.signed_in() as client:
        tokens = {"ours": hidden(client.get(path), "csrf_token")}
        fields = {"state": LeadState.REACHED_OUT}
        assert _post(client, f"{path}/state", tokens, fields, headers).status_code == 303


@pytest.mark.parametrize("path", ["/console/sign-in", "/console/password", "/console/forgot"])
def test_another_site_cannot_send_the_open_forms_either(app: PagesApp, path: str) -> None:
    with app.browser() as client:
        headers = {"Origin": "https://evil.example"}
        form = {"username": "admin", "password": PASSWORD, "email": "admin@example.com"}
        before = _contents(app)
        answer = client.post(path, data=form, headers=headers)
        assert _contents(app) == before
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/console/sign-out",
        "/console/leads/1/state",
        "/console/leads/1/undo",
        "/console/leads/1/correct",
        "/console/mails/1/retry",
    ],
)
def test_following_a_link_changes_nothing(app: PagesApp, path: str) -> None:
    with app.signed_in() as client:
        answer = client.get(path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def _forms(app: PagesApp, lead_id: int) -> list[tuple[str, dict[str, str | None]]]:
    """Every form that works a lead or its mails, in an order in which each changes something."""
    mail = a_mail(
        DeliveryKind.PROSPECT_CONFIRMATION,
        "zoe@x.test",
        {},
        now=utcnow(),
        lead_id=lead_id,
        held="x",
    )
    with app.database.writing() as work:
        store_mails(work, [mail])
        work.commit()
    lead = f"/console/leads/{lead_id}"
    return [
        (f"{lead}/state", {"state": "REACHED_OUT", "version": "1"}),
        (f"{lead}/undo", {"version": "2"}),
        (f"{lead}/correct", {"first_name": "Zoe", "version": "3"}),
        (f"/console/mails/{mail.id}/retry", {}),
        ("/console/mails/retry-all", {"status": "FAILED"}),
        (f"{lead}/erase", {"confirmed": "yes"}),
    ]


def _post(
    client: httpx.Client,
    path: str,
    tokens: dict[str, str],
    fields: dict[str, str | None] | None = None,
    headers: dict[str, str | None] | None = None,
) -> httpx.Response:
    form = {"csrf_token": "ours"} | (fields or {})
    form = {name: value for name, value in form.items() if value is not None}
    if "csrf_token" in form:
        form["csrf_token"] = tokens.get(form["csrf_token"], form["csrf_token"])
    request = client.build_request("POST", path, data=form)
    for name, value in (headers or {}).items():
        if value is None:
            del request.headers[name]
        else:
            request.headers[name] = value
    return client.send(request)


def _contents(app: PagesApp) -> list[Any]:
    with app.database.reading() as work:
        return [
            work._session.execute(text(f"SELECT * FROM {table} ORDER BY 1")).all()
            for table in ("leads", "events", "users")
        ]
