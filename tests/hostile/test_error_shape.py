"""The one shape of errors, whatever went wrong: section 3, "Errors", of the contract."""

import json

import pytest

from tests.hostile.console import browser
from tests.hostile.forms import form, person
from tests.hostile.raw_http import request
from tests.hostile.target import Target

KEYS = {"type", "title", "status", "detail", "code", "request_id", "errors"}
JSON = "Content-Type: application/json"


# V4.1.1: what is sent as another type is not read as JSON.
@pytest.mark.parametrize(
    ("method", "path", "lines", "body", "status"),
    [
        ("GET", "/api/v1/nothing", [], b"", 404),
        ("GET", "/api/v1/leads/", [], b"", 404),
        ("GET", "/api/v1/leads/x", [], b"", 404),
        ("PUT", "/api/v1/leads", [], b"", 405),
        ("GET", "/api/v1/users/me", [], b"", 401),
        ("POST", "/api/v1/auth/password-reset", [JSON], b"{", 400),
        ("POST", "/api/v1/auth/password-reset", [JSON], b"[]", 422),
        ("POST", "/api/v1/auth/password-reset", [JSON], b'{"email": 1}', 422),
        ("POST", "/api/v1/auth/password-reset", [JSON], b'{"email": "a", "x": 1}', 422),
        ("POST", "/api/v1/auth/password-reset", ["Content-Type: text/plain"], b"{}", 415),
        ("POST", "/api/v1/auth/password-reset/confirm", [JSON], b'{"token": "x"}', 422),
        ("POST", "/api/v1/leads", [], b"", 415),
        ("POST", "/api/v1/auth/token", ["Content-Type: text/plain"], b"a=b", 415),
        ("GET", "/healthz", ["Host: evil.com"], b"", 400),
    ],
)
def test_an_error_is_a_problem_document(
    target: Target, method: str, path: str, lines: list[str], body: bytes, status: int
) -> None:
    answer = target.send(request(method, path, *lines, body=body))
    assert answer.status == status
    assert answer.header("content-type") == "application/problem+json"
    problem = json.loads(answer.body)
    assert set(problem) == KEYS
    assert problem["status"] == status
    assert problem["request_id"] == answer.header("x-request-id") != ""
    assert problem["detail"]
    assert all(set(error) == {"field", "code", "message"} for error in problem["errors"])
    assert answer.header("x-content-type-options") == "nosniff"


@pytest.mark.parametrize("path", ["/console/nothing", "/console/leads/x", "/thanks/<script>"])
def test_a_page_answers_an_error_in_html(target: Target, path: str) -> None:
    with browser(target) as client:
        answer = client.get(path)
    assert answer.status_code in (303, 404)
    if answer.status_code == 404:
        assert answer.headers["content-type"].startswith("text/html")
        assert "<script>" not in answer.text


def test_every_wrong_field_is_named(target: Target) -> None:
    with target.storing_nothing():
        answer = target.post_form(form(person(first_name="", last_name="\n", email="x")))
    assert answer.status == 422
    problem = json.loads(answer.body)
    assert problem["code"] == "validation"
    fields = {error["field"] for error in problem["errors"]}
    assert fields == {"first_name", "last_name", "email", "resume"}


@pytest.mark.parametrize("name", ["<b>", "é", "x" * 5000, "a\nb", "\ud800"])
def test_a_name_that_the_client_made_up_is_shown_harmlessly(target: Target, name: str) -> None:
    body = json.dumps({"email": "a@b.com", name: 1}).encode()
    answer = target.send(request("POST", "/api/v1/auth/password-reset", JSON, body=body))
    assert answer.status == 422
    assert len(answer.body) < 2000
    assert answer.body.isascii() or name != "\ud800"
