"""Every error has one shape, says nothing of what was sent, and is described."""

import httpx
import pytest
from fastapi.exceptions import RequestValidationError
from starlette.requests import ClientDisconnect

from notion_backend.core import errors
from notion_backend.core.errors import BusinessError, FieldError
from notion_backend.presentation.errors import STATUS_OF, response_to
from tests.server.application import create
from tests.server.serving import Running
from tests.waiting import wait_until

SECRET = "hunter2-hunter2"
SCOPE = {"type": "http", "path": "/api/v1/x", "headers": [], "state": {"request_id": "r"}}


@pytest.mark.parametrize(
    ("error", "status", "headers"),
    [
        (errors.InvalidInput.of(FieldError("a", "b", "C.")), 422, {}),
        (errors.MalformedRequest("D."), 400, {}),
        (errors.UnsupportedMediaType("D."), 415, {}),
        (errors.TooLarge("D."), 413, {}),
        (errors.NotAuthenticated("D."), 401, {"www-authenticate": "Bearer"}),
        (errors.PermissionDenied("D."), 403, {}),
        (errors.NotFound("D."), 404, {}),
        (errors.Conflict("D.", retry_after=3), 409, {"retry-after": "3"}),
        (errors.ChangedMeanwhile("D."), 412, {}),
        (errors.RateLimited("D.", retry_after=7), 429, {"retry-after": "7"}),
        (errors.Unavailable("D."), 503, {"retry-after": "5"}),
    ],
)
def test_each_business_error_has_its_status(
    error: BusinessError, status: int, headers: dict[str, str]
) -> None:
    answer = response_to(SCOPE, error)
    assert answer.status_code == status
    assert headers.items() <= dict(answer.headers).items()


def test_no_business_error_is_without_a_status() -> None:
    for kind in BusinessError.__subclasses__():
        assert kind in STATUS_OF


def test_an_error_has_the_shape_of_rfc_9457(client: httpx.Client) -> None:
    answer = client.post("/api/v1/people", json={"age": SECRET})
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    messages = [error.pop("message") for error in problem["errors"]]
    assert problem == {
        "type": "urn:notion-backend:error:validation",
        "title": "Some fields are not right",
        "status": 422,
        "detail": " ".join(messages),
        "code": "validation",
        "request_id": answer.headers["x-request-id"],
        "errors": [
            {"field": "name", "code": "required"},
            {"field": "age", "code": "int_parsing"},
        ],
    }
    assert SECRET not in answer.text


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"name": "' + b"[" * 5000, b"[" * 50_000])
def test_a_body_that_is_no_json_cannot_be_read(client: httpx.Client, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = client.post("/api/v1/people", content=body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    "headers",
    [{}, {"Content-Type": "application/x-www-form-urlencoded"}, {"Content-Type": "text/plain"}],
)
def test_json_under_another_type_is_told_which_to_send(
    client: httpx.Client, headers: dict[str, str]
) -> None:
    answer = client.post("/api/v1/people", content=b'{"name": "Ann"}', headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert "application/json" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("GET", "/static/%2e%2e/%2e%2e/etc/passwd", 404, "not_found"),
        ("GET", "//etc/passwd", 404, "not_found"),
        ("GET", "/%00", 404, "not_found"),
        ("DELETE", "/api/v1/people", 405, "method_not_allowed"),
    ],
)
def test_what_is_not_there_is_a_problem_too(
    client: httpx.Client, method: str, path: str, status: int, code: str
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert status != 405 or answer.headers["allow"] == "POST"


def test_a_defect_is_logged_once_without_values(
    client: httpx.Client, log: pytest.LogCaptureFixture
) -> None:
    answer = client.get("/api/v1/defect", params={"secret": SECRET})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "RuntimeError" not in answer.text
    wait_until(lambda: '"event": "request"' in log.text)
    assert log.text.count("unexpected_error") == 1
    assert "application.py" in log.text
    assert "Traceback" not in log.text
    ours = [each.getMessage() for each in log.records if each.name != "httpx"]
    assert SECRET not in " ".join(ours)
    assert SECRET not in answer.text


def test_a_defect_in_the_middle_of_an_answer_cuts_it_off(
    running: Running, log: pytest.LogCaptureFixture
) -> None:
    answer = running.answer_to(b"GET /api/v1/half HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert answer.endswith(b"\r\n1\r\na\r\n")
    wait_until(lambda: "unexpected_error" in log.text)
    assert "Traceback" not in log.text


def test_a_page_answers_errors_in_html(client: httpx.Client) -> None:
    answer = client.get("/page", headers={"Accept": "text/html,*/*"})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "Less than &lt;b&gt;this&lt;/b&gt;." in answer.text
    assert client.get("/page").json()["code"] == "too_large"
    api = client.get("/api/v1/nothing", headers={"Accept": "text/html"})
    assert api.headers["content-type"] == "application/problem+json"


def test_a_drawn_page_takes_the_place_of_the_plain_one() -> None:
    app = create()
    app.state.error_page = lambda request, problem: f"{request.url.path} {problem.code}"
    scope = {
        **SCOPE,
        "path": "/x",
        "query_string": b"",
        "server": ("localhost", 80),
        "headers": [(b"accept", b"text/html")],
        "app": app,
    }
    assert response_to(scope, errors.NotFound("D.")).body == b"/x not_found"


def test_a_client_that_went_away_is_no_defect(log: pytest.LogCaptureFixture) -> None:
    assert response_to(SCOPE, ClientDisconnect()).status_code == 499
    assert log.text == ""


def test_a_name_that_the_client_made_up_is_shortened_and_escaped() -> None:
    name = "\ud800\n" + "x" * 500
    error = RequestValidationError([{"loc": ("body", name), "type": "extra", "msg": "No."}])
    body = response_to(SCOPE, error).body
    assert len(body) < 500
    assert b"ud800" in bytes(body)


def test_the_description_knows_our_shape_and_no_other() -> None:
    document = create().openapi()
    assert "HTTPValidationError" not in str(document)
    answers = document["paths"]["/api/v1/people"]["post"]["responses"]
    content = answers["422"]["content"]["application/problem+json"]
    assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
    assert set(document["components"]["schemas"]["Problem"]["required"]) == set(content["example"])
    assert "ProblemField" in document["components"]["schemas"]
    assert "413" in document["paths"]["/api/v1/leads"]["post"]["responses"]
