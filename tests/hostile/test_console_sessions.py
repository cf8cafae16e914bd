"""Forged forms, planted cookies and open redirects: rows 64 to 66."""

from collections.abc import Iterator

import httpx
import pytest

from tests.hostile.console import browser, csrf_token, sign_in, signed_in
from tests.hostile.raw_http import request
from tests.hostile.target import STAFF_PASSWORD, Target
from tests.service.client import ADMIN_PASSWORD

FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def client(target: Target) -> Iterator[httpx.Client]:
    with signed_in(target) as opened:
        yield opened


def forms(lead_id: int) -> dict[str, dict[str, str]]:
    """Every form of the console that changes something, filled in well."""
    passwords = {"current_password": ADMIN_PASSWORD, "new_password": "violet harbour 42 lanterns"}
    return {
        f"/console/leads/{lead_id}/state": {"state": "REACHED_OUT"},
        f"/console/leads/{lead_id}/undo": {"version": "1"},
        f"/console/leads/{lead_id}/correct": {"first_name": "Forged"},
        f"/console/leads/{lead_id}/erase": {"confirmed": "yes"},
        "/console/mails/retry-all": {"status": "HELD"},
        "/console/account": passwords,
        "/console/sign-out": {},
    }


# Row 64
@pytest.mark.parametrize(
    ("headers", "token"),
    [
        ({}, None),
        ({}, ""),
        ({}, "x"),
        ({}, "another"),
        ({"Origin": "https://evil.example"}, "own"),
        ({"Origin": "null"}, "own"),
        ({"Origin": ""}, "own"),
        ({"Origin": "http://127.0.0.1.evil.example"}, "own"),
        ({"Origin": "https://127.0.0.1"}, "own"),
        ({"Referer": "https://evil.example/form"}, "own"),
        ({"Referer": "http://[::1"}, "own"),
        ({"Sec-Fetch-Site": "cross-site"}, "own"),
        ({"Sec-Fetch-Site": "same-site"}, "own"),
        ({"Content-Type": "text/plain"}, "own"),
        ({"Content-Type": "multipart/form-data; boundary=b"}, "own"),
        ({"Content-Type": "application/json"}, "own"),
    ],
)
def test_a_form_that_the_console_did_not_send_changes_nothing(
    target: Target, client: httpx.Client, headers: dict[str, str], token: str | None
) -> None:
    lead = target.accepted(email="forged@example.com")
    own = csrf_token(client.get(f"/console/leads/{lead['id']}").text)
    named = {"own": own, "another": own[::-1]}.get(token or "", token)
    with target.storing_nothing():
        for path, fields in forms(lead["id"]).items():
            given = fields if named is None else fields | {"csrf_token": named}
            content = httpx.QueryParams(given)
            sent = {"Content-Type": FORM, **headers}
            answer = client.post(path, content=str(content).encode(), headers=sent)
            assert answer.status_code == 403, path
            assert answer.headers["content-type"].startswith("text/html")


# Row 64
def test_the_token_of_another_session_changes_nothing(target: Target, client: httpx.Client) -> None:
    lead = target.accepted(email="forged@example.com")
    with browser(target) as other:
        assert sign_in(other, "staff", STAFF_PASSWORD).status_code == 303
        foreign = csrf_token(other.get(f"/console/leads/{lead['id']}").text)
        with target.storing_nothing():
            for path, fields in forms(lead["id"]).items():
                answer = client.post(path, data=fields | {"csrf_token": foreign})
                assert answer.status_code == 403


# Row 64
def test_reading_changes_nothing(target: Target, client: httpx.Client) -> None:
    lead = target.accepted(email="forged@example.com")
    client.get(f"/console/leads/{lead['id']}")
    with target.storing_nothing():
        client.get("/console/mails/retry-all?status=HELD")
        client.get(f"/console/leads/{lead['id']}/erase?confirmed=yes")
        for path in (f"/console/leads/{lead['id']}/state?state=REACHED_OUT", "/console/sign-out"):
            answer = client.get(path)
            assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


# Row 64
def test_a_visitor_who_is_not_signed_in_changes_nothing(target: Target) -> None:
    lead = target.accepted(email="forged@example.com")
    with browser(target, session="made up") as stranger, target.storing_nothing():
        for path, fields in forms(lead["id"]).items():
            answer = stranger.post(path, data=fields | {"csrf_token": "x"})
            assert answer.status_code in (303, 401, 403)
            target_page = answer.headers.get("location", "/console/sign-in").partition("?")[0]
            assert target_page == "/console/sign-in"


# Row 64
@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_another_site_can_sign_nobody_in(target: Target, origin: str) -> None:
    with browser(target) as victim, target.storing_nothing():
        data = {"username": "staff", "password": STAFF_PASSWORD}
        answer = victim.post("/console/sign-in", data=data, headers={"Origin": origin})
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


# Row 65
def test_a_cookie_that_was_planted_is_not_kept_at_sign_in(target: Target) -> None:
    planted = "A" * 43
    with browser(target, session=planted) as victim:
        answer = sign_in(victim, "staff", STAFF_PASSWORD)
        assert answer.status_code == 303
    assert planted not in answer.headers["set-cookie"]
    with browser(target, session=planted) as attacker:
        assert attacker.get("/console").status_code == 303


# Row 65
def test_signing_in_again_ends_the_session_before(target: Target) -> None:
    with browser(target) as first:
        sign_in(first, "staff", STAFF_PASSWORD)
        before = first.cookies["session"]
        sign_in(first, "staff", STAFF_PASSWORD)
        assert first.cookies["session"] != before
    with browser(target, session=before) as old:
        assert old.get("/console").status_code == 303


# Row 65
def test_a_cookie_over_https_can_be_set_by_nobody_else(guarded: Target) -> None:
    data = {"username": "staff", "password": STAFF_PASSWORD}
    headers = {"X-Forwarded-For": "203.0.113.210", "X-Forwarded-Proto": "https"}
    headers["Origin"] = "https://leads.example.com"
    with browser(guarded) as client:
        answer = client.post("/console/sign-in", data=data, headers=headers)
    assert answer.status_code == 303
    name, *attributes = answer.headers["set-cookie"].split("; ")
    assert name.startswith("__Host-")
    assert {line.lower() for line in attributes} >= {"path=/", "secure", "httponly", "samesite=lax"}
    assert "domain" not in answer.headers["set-cookie"].lower()
    value = name.partition("=")[2]
    for planted in (f"session={value}", f"__Host-Session={value}"):
        answer = guarded.http.get("/console", headers={**headers, "Cookie": planted})
        assert answer.status_code == 303


# Row 65
@pytest.mark.parametrize(
    "cookie",
    ["session=", "session=%00", "session=\x80\xff", "session=" + "x" * 8000, ";;;=", "session"],
)
def test_a_cookie_of_any_bytes_leads_to_the_sign_in_page(target: Target, cookie: str) -> None:
    answer = target.send(request("GET", "/console", f"Cookie: {cookie}"))
    assert answer.status == 303
    assert answer.header("location").startswith("/console/sign-in")


# Row 66
@pytest.mark.parametrize(
    "target_page",
    [
        "//evil.com",
        "https:evil",
        "https://evil.com",
        "http:///evil.com",
        "/\\evil.com",
        "\\\\evil.com",
        "javascript:alert(1)",
        "data:text/html,x",
        "/console@evil.com",
        "/console/../../evil",
        "/console//evil.com",
        "/console\r\nX-Injected: yes",
        "/console\\..\\..",
        "/console.evil.com",
        "/console%2f..%2f..",
        " //evil.com",
        "\t//evil.com",
        "/%09/evil.com",
        "//console",
        "/api/v1/leads",
        "/console/" + "x" * 10_000,
    ],
)
def test_the_way_on_from_sign_in_never_leaves_the_console(target: Target, target_page: str) -> None:
    with browser(target) as client:
        page = client.get("/console/sign-in", params={"next": target_page})
        assert page.status_code == 200
        assert 'name="next" value="/console"' in page.text


# Row 66
@pytest.mark.parametrize("target_page", ["//evil.com", "/\\evil.com", "javascript:alert(1)"])
def test_a_forged_way_on_leads_to_the_console(target: Target, target_page: str) -> None:
    with browser(target) as client:
        answer = sign_in(client, "staff", STAFF_PASSWORD, next=target_page)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")
