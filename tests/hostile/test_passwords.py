"""Which passwords are taken: rows 59 and 60."""

import json
from typing import Any

import httpx
import pytest

from tests.hostile.target import Target

REFUSED = {
    "14 characters": "tidal-blue-42!",
    "a word twice": "passwordpassword",
    "the product": "notionnotionnotion",
    "the product with digits": "Notion1234567890",
    "the user": "newcomernewcomer",
    "the address": "newcomer@example.com",
    "a walk": "qwertyuiopasdfghjkl",
    "digits": "123456789012345678",
    "one letter": "aaaaaaaaaaaaaaaaaa",
    "nul": "violet harbour\x0042 lanterns",
    "only spaces": " " * 20,
    "nothing": "",
    "a megabyte": "x7" * 500_000,
    "lone surrogate": "violet harbour \ud800 lanterns",
}
TAKEN = {
    "15 characters": "tidal-blue-42!x",
    "64 characters": "tidal blue 42 " * 4 + "lanterns",
    "200 characters": "tidal blue 42 " * 14 + "lamp",
    "spaces": "  violet   harbour lanterns  ",
    "emoji": "😀 violet harbour 👩\u200d👩\u200d👧",
    "Arabic": "مرفأ بنفسجي وفوانيس كثيرة",
}


def create(target: Target, password: str) -> httpx.Response:
    target.remember(password)
    name = f"newcomer{target.count('users')}"
    user: dict[str, Any] = {"username": name, "email": f"{name}@example.com"}
    # Written by hand, since a lone surrogate is no text that a client would send.
    body = json.dumps(user | {"password": password}).encode()
    headers = {"Content-Type": "application/json"}
    return target.api("POST", "/users", content=body, headers=headers)


# Row 59
@pytest.mark.parametrize("password", REFUSED.values(), ids=REFUSED)
def test_a_weak_password_is_refused(target: Target, password: str) -> None:
    with target.within(cpu_seconds=0.2), target.storing_nothing():
        assert create(target, password).status_code == 422


# Row 59
@pytest.mark.parametrize("password", TAKEN.values(), ids=TAKEN)
def test_a_long_password_is_taken_whole(target: Target, password: str) -> None:
    answer = create(target, password)
    assert answer.status_code == 201, answer.text
    name = answer.json()["username"]
    assert target.sign_in(name, password).status_code == 200


# Row 59
@pytest.mark.parametrize("password", ["x" * 1_000_000, "violet\0harbour", "", "\ud800" * 20])
def test_a_wrong_password_of_any_shape_is_refused_at_sign_in(target: Target, password: str) -> None:
    body = "grant_type=password&username=admin&password="
    encoded = password.encode("utf-8", "surrogatepass").hex(":").split(":") if password else []
    body += "".join(f"%{byte}" for byte in encoded)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    with target.within():
        answer = target.http.post("/api/v1/auth/token", content=body, headers=headers)
    assert answer.status_code in (400, 401, 422)


# Row 60
def test_two_passwords_that_are_equal_for_72_bytes_are_two(target: Target) -> None:
    start = "tidal blue 42 " * 5 + "ab"
    assert len(start) == 72
    name = create(target, start + "first ending").json()["username"]
    assert target.sign_in(name, start + "other ending").status_code == 401
    assert target.sign_in(name, start).status_code == 401
    assert target.sign_in(name, start + "first ending").status_code == 200
