"""Forms that no person filled in: row 44."""

import re
from typing import Any

from tests.hostile.forms import PDF, file_part, form, person
from tests.hostile.target import Target
from tests.waiting import wait_until


def send_page_form(target: Target, **fields: str) -> dict[str, Any]:
    """Send the form of the page with these fields besides; return the lead."""
    answer = target.post_form(
        form(person(**fields), file_part("resume.pdf", PDF)), "Accept: text/html", path="/"
    )
    assert answer.status == 303, answer.text
    lead = target.api("GET", "/leads?limit=1").json()["items"][0]
    assert answer.header("location") == f"/thanks/{lead['reference']}"
    return dict(lead)


def stamp(target: Target) -> str:
    found = re.search(r'name="form_stamp" value="([^"]+)"', target.http.get("/").text)
    assert found
    return found[1]


def confirmation_of(target: Target, lead: dict[str, Any]) -> dict[str, Any]:
    mails = target.api("GET", f"/leads/{lead['id']}/deliveries").json()["items"]
    return next(mail for mail in mails if mail["kind"] == "prospect_confirmation")


def test_a_form_that_is_sent_at_once_is_kept_and_flagged_and_not_confirmed(target: Target) -> None:
    lead = send_page_form(target, form_stamp=stamp(target))
    assert [flag["code"] for flag in lead["flags"]] == ["form_too_quick"]
    held = confirmation_of(target, lead)
    assert (held["status"], held["attempts"]) == ("HELD", 0)
    assert "robot" in str(held["last_reply"])
    assert target.api("GET", "/leads?flagged=true&limit=1").json()["items"][0]["id"] == lead["id"]

    assert target.api("POST", f"/deliveries/{held['id']}/retry").status_code == 202
    wait_until(lambda: confirmation_of(target, lead)["status"] == "SENT")


def test_a_field_that_nobody_sees_is_a_bait(target: Target) -> None:
    lead = send_page_form(target, website="https://spam.example")
    assert [flag["code"] for flag in lead["flags"]] == ["form_bait_taken"]
    assert confirmation_of(target, lead)["status"] == "HELD"


def test_a_stamp_that_was_made_up_is_no_error(target: Target) -> None:
    lead = send_page_form(target, form_stamp="0.0-é\x00")
    assert [flag["code"] for flag in lead["flags"]] == ["form_too_quick"]
