from collections.abc import Iterator

import httpx
import pytest

from notion_backend.core.enums import Role
from notion_backend.data.engine import create_database_engine
from notion_backend.data.unit_of_work import Database
from tests.accounts import ANOTHER_PASSWORD, PASSWORD, AccountKit
from tests.presentation.accounts_app import served
from tests.presentation.test_auth import code_of, fields_of

NEW = {"username": "new", "email": "new@example.com", "role": "staff"}


@pytest.fixture
def kit(sqlite_url: str) -> Iterator[AccountKit]:
    database = Database(create_database_engine(sqlite_url))
    kit = AccountKit(database, login_rate_limit="off")
    kit.add("boss", Role.ADMIN)
    kit.add("zoe")
    yield kit
    database.close()


@pytest.fixture
def client(kit: AccountKit) -> Iterator[httpx.Client]:
    with served(kit) as client:
        yield client


@pytest.fixture
def admin(client: httpx.Client, kit: AccountKit) -> httpx.Client:
    client.headers["Authorization"] = f"Bearer {kit.sign_in('boss').access_token}"
    return client


@pytest.fixture
def staff(client: httpx.Client, kit: AccountKit) -> httpx.Client:
    client.headers["Authorization"] = f"Bearer {kit.sign_in('zoe').access_token}"
    return client


def test_a_user_is_shown_as_the_contract_says(staff: httpx.Client, kit: AccountKit) -> None:
    user = staff.get("/users/me").json()

    assert list(user) == [
        "id", "username", "email", "role", "disabled", "created_at", "last_login_at",
    ]  # fmt: skip
    assert (user["username"], user["email"], user["role"], user["disabled"]) == (
        "zoe",
        "zoe@example.com",
        "staff",
        False,
    )
    assert user["created_at"].endswith("Z")
    assert user["last_login_at"].endswith("Z")


def test_changing_my_password_ends_my_session(staff: httpx.Client, kit: AccountKit) -> None:
    body = {"current_password": PASSWORD, "new_password": ANOTHER_PASSWORD}

    answer = staff.put("/users/me/password", json=body)

    assert (answer.status_code, answer.content) == (204, b"")
    assert staff.get("/users/me").status_code == 401
    assert kit.sign_in("zoe", ANOTHER_PASSWORD)


def test_a_wrong_present_password_leaves_me_signed_in(staff: httpx.Client) -> None:
    body = {"current_password": ANOTHER_PASSWORD, "new_password": ANOTHER_PASSWORD}

    answer = staff.put("/users/me/password", json=body)

    assert fields_of(answer) == [("current_password", "invalid_credentials")]
    assert staff.get("/users/me").status_code == 200


def test_an_administrator_creates_a_user(admin: httpx.Client, kit: AccountKit) -> None:
    answer = admin.post("/users", json=NEW | {"username": "NEW", "password": PASSWORD})

    assert answer.status_code == 201
    assert answer.json()["username"] == "new"
    assert answer.headers["location"] == f"/api/v1/users/{answer.json()['id']}"
    shown = admin.get(answer.headers["location"].removeprefix("/api/v1"))
    assert shown.json() == answer.json()
    assert kit.sign_in("new")
    assert kit.deliveries() == []


def test_a_user_without_a_password_is_invited(admin: httpx.Client, kit: AccountKit) -> None:
    assert admin.post("/users", json=NEW).status_code == 201

    assert [mail.recipient for mail in kit.deliveries()] == ["new@example.com"]


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"username": "a@b"}, [("username", "forbidden_character")]),
        ({"email": "nowhere"}, [("email", "invalid_email")]),
        ({"password": "short"}, [("password", "too_short")]),
        ({"password": "new new new new new"}, [("password", "too_common")]),
        ({"password": None}, [("password", "string_type")]),
        ({"role": "root"}, [("role", "enum")]),
        ({"id": 7}, [("id", "extra_forbidden")]),
        ({"username": 7, "email": None}, [("username", "string_type"), ("email", "string_type")]),
    ],
    ids=str,
)
def test_a_new_user_that_breaks_a_rule_is_refused(
    admin: httpx.Client, kit: AccountKit, change: dict[str, object], wrong: list[tuple[str, str]]
) -> None:
    before = kit.snapshot()

    assert fields_of(admin.post("/users", json=NEW | change)) == wrong
    assert kit.snapshot() == before


def test_a_taken_name_is_a_conflict(admin: httpx.Client) -> None:
    answer = admin.post("/users", json=NEW | {"username": "ZOE"})

    assert code_of(answer) == (409, "username_taken")


def test_users_are_listed_page_by_page(admin: httpx.Client) -> None:
    first = admin.get("/users", params={"limit": 1}).json()
    second = admin.get("/users", params={"limit": 1, "cursor": first["next_cursor"]}).json()

    assert [user["username"] for user in first["items"] + second["items"]] == ["boss", "zoe"]
    assert second["next_cursor"] is None
    for query in (
        {"limit": "0"},
        {"limit": "201"},
        {"limit": "x"},
        {"cursor": "x"},
    ):
        assert admin.get("/users", params=query).status_code == 422


def test_an_administrator_changes_a_user(admin: httpx.Client, kit: AccountKit) -> None:
    token = kit.sign_in("zoe").access_token
    zoe = admin.get("/users").json()["items"][1]["id"]

    answer = admin.patch(f"/users/{zoe}", json={"role": "admin", "email": "z@example.com"})
    assert (answer.json()["role"], answer.json()["email"]) == ("admin", "z@example.com")
    assert admin.patch(f"/users/{zoe}", json={}).json() == answer.json()

    assert admin.patch(f"/users/{zoe}", json={"disabled": True}).json()["disabled"] is True
    refused = admin.get("/users/me", headers={"Authorization": f"Bearer {token}"})
    assert refused.status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        {"disabled": "yes"},
        {"disabled": 1},
        {"disabled": None},
        {"role": None},
        {"role": "root"},
        {"email": None},
        {"email": "nowhere"},
        {"username": "other"},
        {"disabled": True, "password": PASSWORD},
        [],
        "x",
        None,
    ],
    ids=str,
)
def test_a_change_that_breaks_a_rule_is_refused(
    admin: httpx.Client, kit: AccountKit, body: object
) -> None:
    before = kit.snapshot()

    assert admin.patch("/users/2", json=body).status_code == 422
    assert kit.snapshot() == before


def test_the_last_administrator_stays_one(admin: httpx.Client, kit: AccountKit) -> None:
    before = kit.snapshot()

    for body in ({"disabled": True}, {"role": "staff"}):
        assert code_of(admin.patch("/users/1", json=body)) == (409, "last_administrator")
    assert kit.snapshot() == before


@pytest.mark.parametrize(
    ("user_id", "status"),
    [("0", 422), (str(2**63), 422), ("-1", 404), ("x", 404), ("1e3", 404), ("99" * 40, 404)],
)
def test_what_is_no_id_is_refused(admin: httpx.Client, user_id: str, status: int) -> None:
    assert admin.get(f"/users/{user_id}").status_code == status
    assert admin.patch(f"/users/{user_id}", json={}).status_code == status


def test_a_user_who_does_not_exist_is_not_found(admin: httpx.Client) -> None:
    assert code_of(admin.get(f"/users/{2**63 - 1}")) == (404, "not_found")
    assert code_of(admin.patch("/users/1000", json={"disabled": True})) == (404, "not_found")


ROUTES = [
    ("GET", "/users", None),
    ("GET", "/users/1", None),
    ("POST", "/users", NEW),
    ("POST", "/users", {"wrong": 1}),
    ("PATCH", "/users/1", {"disabled": True}),
    ("PATCH", "/users/1000", {"wrong": 1}),
]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_staff_are_refused_before_anything_is_looked_at(
    staff: httpx.Client, kit: AccountKit, method: str, path: str, body: object
) -> None:
    before = kit.snapshot()

    assert code_of(staff.request(method, path, json=body)) == (403, "permission_denied")
    assert kit.snapshot() == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        *ROUTES,
        ("GET", "/users/me", None),
        ("PUT", "/users/me/password", {"current_password": PASSWORD, "new_password": PASSWORD}),
        ("POST", "/auth/logout", None),
    ],
)
def test_nobody_gets_anywhere_without_a_token(
    client: httpx.Client, kit: AccountKit, method: str, path: str, body: object
) -> None:
    before = kit.snapshot()

    assert code_of(client.request(method, path, json=body)) == (401, "not_authenticated")
    assert kit.snapshot() == before


def test_a_role_that_was_taken_away_is_gone_on_the_next_request(
    admin: httpx.Client, kit: AccountKit
) -> None:
    kit.add("second", Role.ADMIN)

    assert admin.patch("/users/1", json={"role": "staff"}).status_code == 200
    assert code_of(admin.get("/users")) == (403, "permission_denied")
    assert admin.get("/users/me").json()["role"] == "staff"
