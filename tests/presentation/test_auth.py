from collections.abc import Iterator

import httpx
import pytest

from notion_backend.application.actor import SHELL
from notion_backend.data.engine import create_database_engine
from notion_backend.data.unit_of_work import Database
from tests.accounts import ANOTHER_PASSWORD, PASSWORD, AccountKit
from tests.application.test_auth_passwords import reset_token
from tests.presentation.accounts_app import accounts_app, served

FORM = "application/x-www-form-urlencoded"
GOOD = {"grant_type": "password", "username": "zoe", "password": PASSWORD}


@pytest.fixture
def kit(sqlite_url: str) -> Iterator[AccountKit]:
    database = Database(create_database_engine(sqlite_url))
    kit = AccountKit(database, login_rate_limit="off")
    kit.add("zoe")
    yield kit
    database.close()


@pytest.fixture
def client(kit: AccountKit) -> Iterator[httpx.Client]:
    with served(kit) as client:
        yield client


def token(client: httpx.Client, **fields: str) -> dict[str, str]:
    answer = client.post("/auth/token", data=GOOD | fields)
    assert answer.status_code == 200
    pair: dict[str, str] = answer.json()
    return pair


def bearer(pair: dict[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {pair['access_token']}"}


def code_of(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


def fields_of(answer: httpx.Response) -> list[tuple[str, str]]:
    assert answer.status_code == 422
    return [(error["field"], error["code"]) for error in answer.json()["errors"]]


def test_a_password_is_exchanged_for_tokens(client: httpx.Client) -> None:
    answer = client.post("/auth/token", data=GOOD | {"scope": "", "client_id": "docs"})

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    pair = answer.json()
    assert sorted(pair) == ["access_token", "expires_in", "refresh_token", "token_type"]
    assert pair["token_type"] == "bearer"
    assert pair["expires_in"] == 900
    assert client.get("/users/me", headers=bearer(pair)).json()["username"] == "zoe"


def test_a_refresh_token_is_exchanged_once(client: httpx.Client) -> None:
    first = token(client)
    renewal = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}

    second = client.post("/auth/token", data=renewal).json()
    assert client.get("/users/me", headers=bearer(second)).status_code == 200
    again = client.post("/auth/token", data=renewal)

    assert code_of(again) == (401, "invalid_credentials")
    assert code_of(client.get("/users/me", headers=bearer(second))) == (401, "not_authenticated")


def test_every_failure_has_one_answer(client: httpx.Client, kit: AccountKit) -> None:
    kit.add("gone")
    kit.users.set_disabled(SHELL, "gone", disabled=True)
    answers = [
        client.post("/auth/token", data=GOOD | change)
        for change in (
            {"password": ANOTHER_PASSWORD},
            {"username": "nobody"},
            {"username": "nobody@example.com"},
            {"username": "gone"},
            {"username": "' OR 1=1 --"},
            {"username": "zoe\x00"},
            {"password": "x" * 50_000},
        )
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["www-authenticate"] for answer in answers} == {"Bearer"}
    assert len({answer.content for answer in answers}) == 1
    assert code_of(answers[0]) == (401, "invalid_credentials")


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (b"", ("grant_type", "required")),
        (b"grant_type=password", ("username", "required")),
        (b"grant_type=password&username=zoe", ("password", "required")),
        (b"grant_type=password&username=&password=x", ("username", "required")),
        (b"grant_type=password&username[]=zoe&password=x", ("username", "required")),
        (b"grant_type=refresh_token", ("refresh_token", "required")),
        (b"grant_type=implicit", ("grant_type", "unsupported_grant_type")),
        (b"grant_type=password&username=a&username=b&password=x", ("username", "duplicate")),
        (b"grant_type=password&username=a;password=x", ("password", "required")),
    ],
)
def test_a_form_that_is_not_right_is_told_what_is_wrong(
    client: httpx.Client, body: bytes, wrong: tuple[str, str]
) -> None:
    answer = client.post("/auth/token", content=body, headers={"Content-Type": FORM})

    assert fields_of(answer) == [wrong]


@pytest.mark.parametrize(
    "body", [b"&".join([b"a=b"] * 21), b"grant_type=%FF%FE", b"grant_type=\xff", b"&" * 1000]
)
def test_a_form_that_cannot_be_read_is_refused(client: httpx.Client, body: bytes) -> None:
    answer = client.post("/auth/token", content=body, headers={"Content-Type": FORM})

    assert code_of(answer) == (400, "bad_request")


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", ""])
def test_another_type_of_body_is_refused(client: httpx.Client, content_type: str) -> None:
    answer = client.post(
        "/auth/token", content=b'["grant_type"]', headers={"Content-Type": content_type}
    )

    assert code_of(answer) == (415, "unsupported_media_type")


@pytest.mark.parametrize("body", [[], {"username": "ann"}, 1, "ann"])
def test_json_in_place_of_the_form_is_told_what_to_send(client: httpx.Client, body: object) -> None:
    answer = client.post("/auth/token", json=body)

    assert code_of(answer) == (422, "validation")
    assert fields_of(answer) == [("body", "form_required")]


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Authorization", "Bearer")],
        [("Authorization", "Basic {token}")],
        [("Authorization", "{token}")],
        [("Authorization", "Bearer {token} {token}")],
        [("Authorization", "Bearer {token}x")],
        [("Authorization", "Bearer {token}"), ("Authorization", "Bearer {token}")],
        [("Authorization", "Bearer " + "A" * 10_000)],
        [("Authorization", "Bearer \u00e9")],
    ],
)
def test_exactly_one_good_bearer_token_is_needed(
    client: httpx.Client, headers: list[tuple[str, str]]
) -> None:
    good = token(client)["access_token"]
    sent = [
        (name.encode(), value.replace("{token}", good).encode("latin-1")) for name, value in headers
    ]

    answer = client.get("/users/me", headers=sent)

    assert code_of(answer) == (401, "not_authenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_signing_out_ends_the_session(client: httpx.Client) -> None:
    pair = token(client)

    answer = client.post("/auth/logout", headers=bearer(pair))

    assert (answer.status_code, answer.content) == (204, b"")
    assert client.post("/auth/logout", headers=bearer(pair)).status_code == 401
    renewal = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    assert client.post("/auth/token", data=renewal).status_code == 401


def test_asking_for_a_reset_is_always_accepted(client: httpx.Client, kit: AccountKit) -> None:
    answers = [
        client.post("/auth/password-reset", json={"email": email})
        for email in ("zoe@example.com", "nobody@example.com", "nowhere")
    ]

    assert {answer.status_code for answer in answers} == {202}
    assert len({(answer.content, answer.headers.get("content-type")) for answer in answers}) == 1
    assert len(kit.deliveries()) == 2


@pytest.mark.parametrize("body", [{}, {"email": None}, {"email": 1}, [], {"email": "a", "b": 1}])
def test_a_reset_without_an_address_is_refused(client: httpx.Client, body: object) -> None:
    assert client.post("/auth/password-reset", json=body).status_code == 422


def test_the_token_of_a_mail_sets_a_password(client: httpx.Client, kit: AccountKit) -> None:
    pair = token(client)
    body = {"token": reset_token(kit), "password": ANOTHER_PASSWORD}

    answer = client.post("/auth/password-reset/confirm", json=body)

    assert (answer.status_code, answer.content) == (204, b"")
    assert client.get("/users/me", headers=bearer(pair)).status_code == 401
    assert token(client, password=ANOTHER_PASSWORD)
    again = client.post("/auth/password-reset/confirm", json=body)
    assert fields_of(again) == [("token", "invalid_token")]


def test_a_client_may_try_only_so_often_whatever_it_tries(sqlite_url: str) -> None:
    database = Database(create_database_engine(sqlite_url))
    with served(AccountKit(database, login_rate_limit="3/minute")) as client:
        for path in ("/auth/token", "/auth/password-reset", "/auth/password-reset/confirm"):
            assert client.post(path, content=b"").status_code in {415, 422}

        answer = client.post("/auth/token", data=GOOD)

        assert code_of(answer) == (429, "rate_limited")
        assert 0 < int(answer.headers["retry-after"]) <= 60
    database.close()


def test_the_description_lets_people_authorize_in_the_docs(kit: AccountKit) -> None:
    document = accounts_app(kit).openapi()

    (scheme,) = document["components"]["securitySchemes"].values()
    assert scheme["type"] == "oauth2"
    assert scheme["flows"]["password"]["tokenUrl"] == "/api/v1/auth/token"
    body = document["paths"]["/api/v1/auth/token"]["post"]["requestBody"]["content"][FORM]
    assert [one["required"] for one in body["schema"]["oneOf"]] == [
        ["grant_type", "username", "password"],
        ["grant_type", "refresh_token"],
    ]
    assert document["paths"]["/api/v1/users/me"]["get"]["security"] == [{"Bearer": []}]
    assert "security" not in document["paths"]["/api/v1/auth/token"]["post"]
