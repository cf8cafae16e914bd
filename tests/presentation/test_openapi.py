"""The description is complete and readable, and names what really comes back."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from notion_backend.presentation.authentication import TOKEN_URL
from tests.presentation.leads_app import LeadsApp, leads_app
from tests.servers.databases import Databases

PUBLIC = {
    "submit_lead", "create_tokens", "request_password_reset", "confirm_password_reset",
    "is_alive", "is_ready", "read_metrics",
}  # fmt: skip
STAFF = {
    "list_leads", "export_leads", "get_lead", "change_lead", "erase_lead", "download_resume",
    "list_lead_events", "list_lead_deliveries", "list_deliveries", "retry_deliveries",
    "retry_delivery", "read_statistics", "sign_out", "get_me", "change_my_password", "list_users",
    "create_user", "get_user", "change_user",
}  # fmt: skip

NO_JSON = {"export_leads", "download_resume", "read_metrics"}

MISTAKES: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/leads?limit=0", {}),
    ("GET", "/leads?limit=1&limit=2", {}),
    ("GET", "/leads?q=%ff", {}),
    ("GET", "/leads?cursor=made-up", {}),
    ("GET", "/leads/4096", {}),
    ("GET", "/leads/0", {}),
    ("GET", "/leads/4096/resume", {}),
    ("GET", "/leads/4096/events", {}),
    ("GET", "/leads/4096/deliveries", {}),
    ("DELETE", "/leads/4096", {}),
    ("PATCH", "/leads/4096", {"content": b"{"}),
    ("PATCH", "/leads/{lead_id}", {"json": {}}),
    ("PATCH", "/leads/{lead_id}", {"json": {"state": "PENDING", "reason": " "}}),
    ("PATCH", "/leads/{lead_id}", {"json": {"email": "x"}, "headers": {"If-Match": '"0-0"'}}),
    ("GET", "/leads/export?format=xml", {}),
    ("GET", "/deliveries?status=LOST", {}),
    ("GET", "/deliveries?limit=1&limit=1", {}),
    ("POST", "/deliveries/retry", {"content": b"\xff"}),
    ("POST", "/deliveries/retry", {"json": {"status": "SENT"}}),
    ("POST", "/deliveries/retry", {"content": b'{"status":"' + b"x" * 3_000_000 + b'"}'}),
    ("POST", "/deliveries/01934a1e-0000-7000-8000-000000000000/retry", {}),
    ("POST", "/deliveries/x/retry", {}),
    ("GET", "/users?limit=1&limit=1", {}),
    ("GET", "/users?q=%ff", {}),
    ("GET", "/users/4096", {}),
    ("PATCH", "/users/1", {"json": {"role": "staff"}}),
    ("PATCH", "/users/1", {"json": {"email": "x"}}),
    ("POST", "/users", {"json": {"username": "root", "email": "new@example.com"}}),
    ("POST", "/users", {"json": {"username": "a b", "email": "x", "password": "short"}}),
    ("PUT", "/users/me/password", {"json": {"current_password": "x", "new_password": "x"}}),
    ("POST", "/auth/token", {"json": {}}),
    ("POST", "/auth/token", {"content": b"x", "headers": {"Content-Type": "text/plain"}}),
    ("POST", "/auth/token", {"data": {"grant_type": "refresh_token", "refresh_token": "x"}}),
    ("POST", "/auth/password-reset", {"json": {"email": 1}}),
    ("POST", "/auth/password-reset/confirm", {"json": {"token": "x", "password": "y"}}),
    ("POST", "/leads", {"json": {}}),
    ("POST", "/leads", {"files": {"other": ("x.txt", b"x")}}),
    ("POST", "/leads", {"files": {"resume": ("x.exe", b"MZ")}}),
    ("POST", "/leads", {"files": {"resume": ("x.txt", b"")}}),
    ("POST", "/leads", {"files": {"resume": ("x", b"")}, "headers": {"Idempotency-Key": "a b"}}),
]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, databases: Databases) -> Iterator[LeadsApp]:
    folder = tmp_path_factory.mktemp("openapi")
    with databases.of("sqlite").migrated() as url, leads_app(folder, url) as served:
        yield served


@pytest.fixture(scope="module")
def document(app: LeadsApp) -> dict[str, Any]:
    address = f"http://127.0.0.1:{app.port}/openapi.json"
    found: dict[str, Any] = httpx.get(address, trust_env=False).json()
    return found


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the operations by their ids, none of which may come twice."""
    found = [operation for path in document["paths"].values() for operation in path.values()]
    by_id = {operation["operationId"]: operation for operation in found}
    assert len(by_id) == len(found)
    return by_id


def test_every_operation_has_its_name(document: dict[str, Any]) -> None:
    assert set(operations(document)) == PUBLIC | STAFF


def test_staff_operations_ask_for_a_token_and_public_ones_do_not(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        assert operation.get("security") == ([{"Bearer": []}] if name in STAFF else None), name
        assert ("401" in operation["responses"]) >= (name in STAFF), name


def test_every_operation_is_described_for_people(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        assert operation["summary"], name
        assert operation["description"].endswith("."), name
        assert len(operation["tags"]) == 1, name
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), (name, parameter["name"])


def test_every_refusal_is_a_problem_with_an_example(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        for status, answer in operation["responses"].items():
            assert answer["description"], (name, status)
            assert "X-Request-ID" in answer["headers"], (name, status)
            if status >= "400" and (name, status) != ("is_ready", "503"):
                problem = answer["content"]["application/problem+json"]
                assert problem["schema"] == {"$ref": "#/components/schemas/Problem"}
                assert str(problem["example"]["status"]) == status
            if status in {"429", "503"}:
                assert answer["headers"]["Retry-After"]["required"], (name, status)


def test_every_json_answer_is_typed_and_has_an_example(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        for status, answer in operation["responses"].items():
            content = answer.get("content", {}).get("application/json")
            assert content is None or "example" in resolved(document, content["schema"]), name
            assert content or status != "200" or name in NO_JSON, name


def resolved(document: dict[str, Any], schema: object) -> str:
    """Return a schema as text, with all that it refers to."""
    text = json.dumps(schema)
    names = re.findall(r"#/components/schemas/(\w+)", text)
    found = document["components"]["schemas"]
    return text + "".join(resolved(document, found[name]) for name in names)


def test_authorize_in_the_viewers_signs_in_where_tokens_are_made(
    document: dict[str, Any], app: LeadsApp
) -> None:
    [(name, scheme)] = document["components"]["securitySchemes"].items()
    assert (name, scheme["type"]) == ("Bearer", "oauth2")
    assert scheme["flows"]["password"]["tokenUrl"] == TOKEN_URL
    assert "post" in document["paths"][TOKEN_URL]


def test_every_refusal_on_a_tour_of_mistakes_is_described(
    document: dict[str, Any], app: LeadsApp
) -> None:
    lead_id = app.store().id
    seen = set()
    for who in (app.admin, app.staff, app.nobody):
        for method, path, content in MISTAKES:
            answer = who.request(method, path.format(lead_id=lead_id), **content)
            status = str(answer.status_code)
            described = operation_at(document, method, answer.request.url.path)["responses"]
            assert status >= "400", (method, path, answer.text)
            assert status in described, (method, path, answer.text)
            assert answer.headers["content-type"] in described[status]["content"]
            seen.add(status)
    assert {"400", "401", "403", "404", "409", "412", "413", "415", "422"} <= seen


def operation_at(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    """Return the operation that an address belongs to, one without parameters first."""
    steps = path.split("/")
    for template in sorted(document["paths"], key=lambda each: each.count("{")):
        names = template.split("/")
        if len(names) == len(steps) and all(
            name == step or name.startswith("{") for name, step in zip(names, steps, strict=True)
        ):
            found: dict[str, Any] = document["paths"][template][method.lower()]
            return found
    raise AssertionError(path)
