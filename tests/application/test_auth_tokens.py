import jwt
import pytest

from notion_backend.core.clock import utcnow
from notion_backend.core.errors import NotAuthenticated
from notion_backend.data.unit_of_work import Database
from tests.accounts import ADDRESS, AccountKit, claims_of, forged
from tests.waiting import wait_until


@pytest.fixture
def quick(sqlite_database: Database) -> AccountKit:
    return AccountKit(sqlite_database)


@pytest.mark.parametrize(
    "change",
    [
        {"exp": 1},
        {"nbf": 2**33},
        {"iss": "other"},
        {"aud": "other"},
        {"aud": ["notion-backend/api"]},
        {"token_use": "refresh"},
        {"sub": "0"},
        {"sub": "x"},
        {"sid": "x"},
        {"sid": "a1cdcfb8-e5c2-41ee-ab4e-6acab9dd6985"},
        {"exp": None},
        {"nbf": None},
        {"iat": None},
        {"jti": None},
        {"aud": None},
        {"iss": None},
        {"sub": None},
        {"sid": None},
        {"token_use": None},
    ],
    ids=str,
)
def test_a_token_that_says_anything_else_is_refused(
    quick: AccountKit, change: dict[str, object]
) -> None:
    quick.add("zoe")
    claims = claims_of(quick.sign_in().access_token)
    assert quick.auth.authenticate(forged(claims), ADDRESS)

    changed = {name: value for name, value in (claims | change).items() if value is not None}

    with pytest.raises(NotAuthenticated):
        quick.auth.authenticate(forged(changed), ADDRESS)


def test_a_token_that_has_just_ended_is_refused(quick: AccountKit) -> None:
    quick.add("zoe")
    claims = claims_of(quick.sign_in().access_token)
    with pytest.raises(NotAuthenticated):
        quick.auth.authenticate(forged(claims | {"exp": int(utcnow().timestamp()) - 1}), ADDRESS)


def test_a_token_that_was_good_before_ends_with_its_time(quick: AccountKit) -> None:
    quick.add("zoe")
    claims = claims_of(quick.sign_in().access_token)
    end = int(utcnow().timestamp()) + 2
    token = forged(claims | {"exp": end})
    assert quick.auth.authenticate(token, ADDRESS)
    wait_until(lambda: utcnow().timestamp() >= end)
    with pytest.raises(NotAuthenticated):
        quick.auth.authenticate(token, ADDRESS)


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["x"]},
        {"crit": ["b64"], "b64": True},
        {"kid": "../../dev/null"},
        {"jku": "http://192.0.2.1/keys"},
        {"typ": "JWT"},
    ],
    ids=str,
)
def test_a_token_with_another_header_is_refused(
    quick: AccountKit, header: dict[str, object]
) -> None:
    quick.add("zoe")
    claims = claims_of(quick.sign_in().access_token)

    with pytest.raises(NotAuthenticated):
        quick.auth.authenticate(forged(claims, header), ADDRESS)


def test_a_token_that_is_not_signed_by_us_is_refused(quick: AccountKit) -> None:
    quick.add("zoe")
    pair = quick.sign_in()
    claims = claims_of(pair.access_token)
    head, body, seal = pair.access_token.split(".")
    nested = jwt.utils.base64url_encode(b"[" * 2900).decode()
    hostile = [
        jwt.encode(claims, None, algorithm="none"),
        jwt.encode(claims, "another key that is long enough for it", algorithm="HS256"),
        f"{head}.{body}.",
        f"{head}.{body}.{seal}.{seal}.{seal}",
        f"{nested}.{body}.{seal}",
        f"{head}.{body}.{seal}" + "A" * 5000,
        pair.refresh_token,
        "",
        ".",
        "...",
        "é.é.é",
    ]
    for alg in ("None", "nOnE", "HS512", "RS256"):
        forged_head = jwt.utils.base64url_encode(
            f'{{"alg":"{alg}","typ":"at+jwt"}}'.encode()
        ).decode()
        hostile += [f"{forged_head}.{body}.", f"{forged_head}.{body}.{seal}"]

    for token in hostile:
        with pytest.raises(NotAuthenticated):
            quick.auth.authenticate(token, ADDRESS)


@pytest.mark.parametrize("token", ["", "x", "é" * 10, "x" * 100_000, "\ud800"])
def test_what_was_never_a_refresh_token_is_refused(quick: AccountKit, token: str) -> None:
    quick.add("zoe")
    access_token = quick.sign_in().access_token

    for never in (token, access_token):
        with pytest.raises(NotAuthenticated):
            quick.auth.refresh(never, ADDRESS)
