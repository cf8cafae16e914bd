"""Who may change what, on every route there is: rows 67 to 69."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.hostile.raw_http import Answer, request
from tests.hostile.target import STAFF_PASSWORD, Target

CHANGING = ("post", "put", "patch", "delete")
PUBLIC = {
    ("post", "/api/v1/leads"),
    ("post", "/api/v1/auth/token"),
    ("post", "/api/v1/auth/password-reset"),
    ("post", "/api/v1/auth/password-reset/confirm"),
}
"""Everything else needs a token; a new route that does not is a decision made here."""

FOR_ADMINISTRATORS = {
    ("delete", "/api/v1/leads/{lead_id}"),
    ("get", "/api/v1/users"),
    ("post", "/api/v1/users"),
    ("get", "/api/v1/users/{user_id}"),
    ("patch", "/api/v1/users/{user_id}"),
}

BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("patch", "/api/v1/leads/{lead_id}"): {"state": "REACHED_OUT"},
    ("post", "/api/v1/deliveries/retry"): {"status": "FAILED"},
    ("put", "/api/v1/users/me/password"): {
        "current_password": STAFF_PASSWORD,
        "new_password": "violet harbour 42 lanterns",
    },
    ("post", "/api/v1/users"): {"username": "intruder", "email": "i@example.com", "role": "admin"},
    ("patch", "/api/v1/users/{user_id}"): {"role": "admin"},
}
"""A body that would be taken from somebody who may; other routes get an empty object."""


def operations(target: Target) -> list[tuple[str, str]]:
    """Every method and path that the description of the API names."""
    paths = target.http.get("/openapi.json").json()["paths"]
    return [(method, path) for path, methods in paths.items() for method in methods]


@pytest.fixture
def ids(target: Target) -> dict[str, str]:
    """What is really there, for the parameters in paths."""
    lead = target.accepted(email="guarded@example.com")
    return {
        "lead_id": str(lead["id"]),
        "delivery_id": target.api("GET", "/deliveries").json()["items"][0]["id"],
        "user_id": str(target.api("GET", "/users/me", user="staff").json()["id"]),
    }


def call(target: Target, method: str, path: str, ids: dict[str, str], *headers: str) -> Answer:
    """Call a route for what is really there, with a body that is right."""
    body = json.dumps(BODIES.get((method, path), {})).encode() if method in CHANGING else b""
    lines = ["Content-Type: application/json", *headers]
    return target.send(request(method.upper(), path.format_map(ids), *lines, body=body))


def revoked_tokens(target: Target) -> Iterator[str]:
    """Tokens of administrators that were good once."""
    for name in ("left", "disabled"):
        user = target.new_user(f"{name}-{uuid4().hex[:8]}", role="admin")
        token = target.sign_in(user["username"], STAFF_PASSWORD).json()["access_token"]
        if name == "left":
            line = {"Authorization": f"Bearer {token}"}
            assert target.http.post("/api/v1/auth/logout", headers=line).status_code == 204
        else:
            answer = target.api("PATCH", f"/users/{user['id']}", json={"disabled": True})
            assert answer.status_code == 200
        yield token


# Row 67
def test_nobody_changes_or_reads_anything_without_a_good_token(
    target: Target, ids: dict[str, str]
) -> None:
    tokens = ["", "x", *revoked_tokens(target)]
    closed = [each for each in operations(target) if each[1].startswith("/api/")]
    closed = [each for each in closed if each not in PUBLIC]
    assert len([method for method, _ in closed if method in CHANGING]) >= 8
    with target.storing_nothing():
        for method, path in closed:
            for token in tokens:
                lines = [f"Authorization: Bearer {token}"] if token else []
                answer = call(target, method, path, ids, *lines)
                assert answer.status == 401, (method, path)
                assert answer.header("www-authenticate").startswith("Bearer")


# Row 67
def test_what_is_for_administrators_is_refused_to_staff(
    target: Target, ids: dict[str, str]
) -> None:
    line = f"Authorization: Bearer {target.token('staff')}"
    assert set(operations(target)) >= FOR_ADMINISTRATORS
    with target.storing_nothing():
        for method, path in FOR_ADMINISTRATORS:
            answer = call(target, method, path, ids, line)
            assert answer.status == 403, (method, path)
            assert json.loads(answer.body)["code"] == "permission_denied"


# Row 67: a route whose description says 403 is one for administrators, so the list is complete.
def test_the_list_of_routes_for_administrators_is_complete(target: Target) -> None:
    paths = target.http.get("/openapi.json").json()["paths"]
    described = {
        (method, path)
        for path, methods in paths.items()
        for method, operation in methods.items()
        if "403" in operation["responses"]
    }
    assert described == FOR_ADMINISTRATORS


# Row 67
@pytest.mark.parametrize("change", [{"role": "admin"}, {"disabled": False}, {"email": "x@y.com"}])
def test_staff_cannot_promote_themselves(target: Target, change: dict[str, Any]) -> None:
    own = target.api("GET", "/users/me", user="staff").json()["id"]
    with target.storing_nothing():
        for path in (f"/users/{own}", "/users/me"):
            answer = target.api("PATCH", path, user="staff", json=change)
            assert answer.status_code in (403, 405)


# Row 67
@pytest.mark.parametrize(
    "change",
    [
        {"id": 7},
        {"reference": "X"},
        {"created_at": "2001-01-01T00:00:00Z"},
        {"reached_out_by": "admin"},
        {"flags": []},
        {"version": 1},
        {"resume": None},
        {"state": "REACHED_OUT", "reached_out_at": "2001-01-01T00:00:00Z"},
        {"state": "reached_out"},
        {"state": ["PENDING"]},
        {"state": None},
        {"state": 1},
        {},
        [],
        "REACHED_OUT",
        None,
    ],
    ids=json.dumps,
)
def test_a_change_against_the_rules_changes_nothing(target: Target, change: object) -> None:
    lead = target.accepted(email="guarded@example.com")
    with target.storing_nothing():
        answer = target.api("PATCH", f"/leads/{lead['id']}", json=change)
    assert answer.status_code == 422


# Row 67
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nul",
        b'{"state": "REACHED_OUT"',
        b"\xff\xfe{}",
        b'{"state": NaN}',
        b"[" * 30_000,
        b'{"a":' * 10_000,
        b"1" * 50_000,
        b'{"state": 1e99999}',
        b'{"state": "\\ud800"}',
        b'\xef\xbb\xbf{"state": "X"}',
        b'{"state": "REACHED_OUT"} trailing',
    ],
    ids=range(13),
)
def test_a_body_that_is_no_json_changes_nothing(target: Target, body: bytes) -> None:
    lead = target.accepted(email="guarded@example.com")
    lines = ["Content-Type: application/json", f"Authorization: Bearer {target.token()}"]
    with target.within(cpu_seconds=0.2), target.storing_nothing():
        answer = target.send(request("PATCH", f"/api/v1/leads/{lead['id']}", *lines, body=body))
    assert answer.status in (400, 422)


def without_name(answer: Any) -> tuple[int, dict[str, Any]]:
    return answer.status_code, answer.json() | {"request_id": ""}


# Row 68
def test_a_lead_that_was_erased_and_one_that_never_was_look_alike(target: Target) -> None:
    lead = target.accepted(email="erased@example.com")
    assert target.api("DELETE", f"/leads/{lead['id']}").status_code == 204
    for tail in ("", "/resume", "/events", "/deliveries"):
        gone = target.api("GET", f"/leads/{lead['id']}{tail}")
        never = target.api("GET", f"/leads/{lead['id'] + 1000}{tail}")
        assert without_name(gone) == without_name(never)
        assert gone.status_code == 404
        for number in (lead["id"], lead["id"] + 1000):
            assert target.http.get(f"/api/v1/leads/{number}{tail}").status_code == 401
    for method in ("PATCH", "DELETE"):
        body = {"json": {"state": "REACHED_OUT"}} if method == "PATCH" else {}
        assert target.api(method, f"/leads/{lead['id']}", **body).status_code == 404


# Row 68
def test_a_delivery_whose_id_is_one_off_is_not_found(target: Target) -> None:
    target.accepted(email="guarded@example.com")
    target.wait_for_mails()
    number = target.api("GET", "/deliveries").json()["items"][0]["id"]
    near = number[:-1] + ("0" if number[-1] != "0" else "1")
    with target.storing_nothing():
        for wrong in (near, str(uuid4()), "x", "1", number + "0", "%00"):
            answer = target.api("POST", f"/deliveries/{wrong}/retry")
            assert answer.status_code in (404, 422)
        assert target.api("POST", f"/deliveries/{number}/retry").status_code == 409


# Row 69
def test_fifty_at_once_are_one_transition(target: Target) -> None:
    lead = target.accepted(email="fifty@example.com")
    path = f"/leads/{lead['id']}"
    events = target.count("events")
    answers = target.together(
        50, lambda _: target.api("PATCH", path, json={"state": "REACHED_OUT"}).status_code
    )
    assert set(answers) == {200}
    assert target.count("events") == events + 1
    again = target.api("PATCH", path, json={"state": "REACHED_OUT"})
    assert (again.status_code, target.count("events")) == (200, events + 1)


# Row 69
def test_going_back_needs_a_reason_and_a_stale_version_is_refused(target: Target) -> None:
    lead = target.accepted(email="back@example.com")
    path = f"/leads/{lead['id']}"
    stale = target.api("GET", path).headers["etag"]
    assert target.api("PATCH", path, json={"state": "REACHED_OUT"}).status_code == 200
    with target.storing_nothing():
        for reason in ({}, {"reason": ""}, {"reason": "  "}, {"reason": None}, {"reason": "a\0b"}):
            answer = target.api("PATCH", path, json={"state": "PENDING", **reason})
            assert answer.status_code == 422
        change = {"state": "PENDING", "reason": "called the wrong person"}
        answer = target.api("PATCH", path, json=change, headers={"If-Match": stale})
        assert (answer.status_code, answer.json()["code"]) == (412, "changed")
        for wrong in ('"x"', "x", 'W/"1"', "", "é".encode(), '"' * 5000):
            answer = target.api("PATCH", path, json=change, headers={"If-Match": wrong})
            assert answer.status_code in (400, 412)
    current = target.api("GET", path).headers["etag"]
    answer = target.api("PATCH", path, json=change, headers={"If-Match": current})
    assert answer.json()["state"] == "PENDING"
