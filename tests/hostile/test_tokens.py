"""Forged, foreign and used tokens: rows 54 to 58."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import jwt
import pytest

from notion_backend.core.secret_key import derive_key
from tests.hostile.raw_http import request
from tests.hostile.target import SECRET_KEY, STAFF_PASSWORD, Target

KEY = derive_key(SECRET_KEY.encode(), "access-token")
EMPTY = b""


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def written(header: dict[str, Any], claims: dict[str, Any], key: bytes = KEY) -> str:
    """Write a token by hand, signed with HMAC."""
    parts = [_encoded(json.dumps(part).encode()) for part in (header, claims)]
    body = ".".join(parts)
    return f"{body}.{_encoded(hmac.digest(key, body.encode(), hashlib.sha256))}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def status_of(target: Target, token: str) -> int:
    target.remember(token)
    line = f"Authorization: Bearer {token}"
    return target.send(request("GET", "/api/v1/users/me", line)).status


HEADERS: list[dict[str, Any]] = [
    # Row 54
    {"alg": "none", "typ": "at+jwt"},
    {"alg": "None", "typ": "at+jwt"},
    {"alg": "nOnE", "typ": "at+jwt"},
    {"alg": "", "typ": "at+jwt"},
    {"typ": "at+jwt"},
    {"alg": "HS512", "typ": "at+jwt"},
    {"alg": "RS256", "typ": "at+jwt"},
    {"alg": ["HS256"], "typ": "at+jwt"},
    {"alg": "HS256", "typ": "JWT"},
    # Row 55
    {"alg": "HS256", "typ": "at+jwt", "crit": ["exp2"], "exp2": 1},
    {"alg": "HS256", "typ": "at+jwt", "crit": []},
    {"alg": "HS256", "typ": "at+jwt", "b64": False, "crit": ["b64"]},
]


def test_the_token_that_the_others_are_made_of_is_good(target: Target) -> None:
    claims = claims_of(target.token())
    assert status_of(target, written({"alg": "HS256", "typ": "at+jwt"}, claims)) == 200


# Rows 54 and 55
@pytest.mark.parametrize("header", HEADERS, ids=json.dumps)
def test_a_token_with_another_header_is_refused(target: Target, header: dict[str, Any]) -> None:
    claims = claims_of(target.token())
    assert status_of(target, written(header, claims)) == 401
    unsigned = written(header, claims).rpartition(".")[0]
    assert status_of(target, f"{unsigned}.") == 401
    assert status_of(target, unsigned) == 401


# Row 54
@pytest.mark.parametrize(
    "key",
    [
        b"",
        b"\0",
        b"secret",
        SECRET_KEY.encode(),
        b'{"kty":"RSA","n":"AQAB","e":"AQAB"}',
        b"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----",
    ],
)
def test_a_token_signed_with_another_key_is_refused(target: Target, key: bytes) -> None:
    claims = claims_of(target.token())
    assert status_of(target, written({"alg": "HS256", "typ": "at+jwt"}, claims, key)) == 401


# Row 55
@pytest.mark.parametrize(
    "more",
    [
        {"kid": "../../dev/null"},
        {"jku": "http://127.0.0.1:9/keys"},
        {"jwk": {"kty": "oct", "k": ""}},
        {"x5u": "http://127.0.0.1:9/x"},
    ],
    ids=json.dumps,
)
def test_a_key_that_the_token_names_is_never_used(target: Target, more: dict[str, Any]) -> None:
    header = {"alg": "HS256", "typ": "at+jwt", **more}
    assert status_of(target, written(header, claims_of(target.token()), EMPTY)) == 401


# Row 55
@pytest.mark.parametrize(
    "token",
    [
        "a.b.c.d.e",
        "..",
        ".",
        "a",
        "é.é.é",
        "%00",
        "eyJhbGciOiJIUzI1NiJ9.e30.",
        _encoded(b"[" * 5000) + ".e30.x",
        "x" * 20_000,
        "x." * 10_000,
        "=.=.=",
    ],
)
def test_what_is_no_token_is_refused(target: Target, token: str) -> None:
    with target.within(cpu_seconds=0.2):
        assert status_of(target, token) in (401, 431)


# Row 55
def test_a_token_of_a_megabyte_is_refused(target: Target) -> None:
    with target.within(cpu_seconds=0.2):
        assert status_of(target, "x" * 1_000_000) in (401, 431)


# Row 55
@pytest.mark.parametrize(
    "line",
    [
        "Authorization: {}",
        "Authorization: Basic {}",
        "Authorization: Bearer",
        "Authorization: Bearer {0} {0}",
        "Authorization: Bearer {0},Bearer {0}",
        "Authorization: Bearer x\r\nAuthorization: Bearer {}",
        "Cookie: access_token={0}; token={0}; session={0}",
        "X-Authorization: Bearer {}",
    ],
)
def test_a_token_in_another_place_is_refused(target: Target, line: str) -> None:
    answer = target.send(request("GET", "/api/v1/users/me", line.format(target.token())))
    assert answer.status in (400, 401)
    in_query = request("GET", f"/api/v1/users/me?access_token={target.token()}")
    assert target.send(in_query).status == 401


def wrong_claims() -> dict[str, dict[str, Any]]:
    now = int(time.time())
    return {
        "expired": {"exp": now - 1},
        "not yet": {"nbf": now + 60},
        "no end": {"exp": None},
        "no beginning": {"nbf": None},
        "text as end": {"exp": "soon"},
        "not a number": {"exp": float("nan")},
        "issuer": {"iss": "evil"},
        "no issuer": {"iss": None},
        "audience": {"aud": "evil"},
        "audiences": {"aud": ["evil"]},
        "no audience": {"aud": None},
        "purpose": {"token_use": "refresh"},
        "reset": {"token_use": "password_reset"},
        "no purpose": {"token_use": None},
        "user": {"sub": "999999"},
        "user in words": {"sub": "admin"},
        "user as number": {"sub": 1},
        "user as list": {"sub": ["1"]},
        "user too large": {"sub": str(2**70)},
        "session": {"sid": "00000000-0000-0000-0000-000000000000"},
        "session in words": {"sid": "x"},
        "session as number": {"sid": 1},
        "no session": {"sid": None},
        "no name": {"jti": None},
    }


# Row 56
@pytest.mark.parametrize("name", wrong_claims())
def test_a_token_with_other_claims_is_refused(target: Target, name: str) -> None:
    claims = claims_of(target.token()) | wrong_claims()[name]
    claims = {key: value for key, value in claims.items() if value is not None}
    assert status_of(target, written({"alg": "HS256", "typ": "at+jwt"}, claims)) == 401


# Row 56
def test_a_token_is_good_for_its_own_purpose_only(target: Target) -> None:
    pair = target.sign_in("staff", STAFF_PASSWORD).json()
    assert status_of(target, pair["refresh_token"]) == 401
    for wrong in (pair["access_token"], "", "x", "x" * 5000, pair["refresh_token"] + "x"):
        form = {"grant_type": "refresh_token", "refresh_token": wrong}
        answer = target.http.post("/api/v1/auth/token", data=form)
        assert answer.status_code in (401, 422)
    body = {"token": pair["access_token"], "password": "violet harbour 42 lanterns"}
    confirm = "/api/v1/auth/password-reset/confirm"
    assert target.http.post(confirm, json=body).status_code in (401, 422)
    target.new_mails()
    target.http.post("/api/v1/auth/password-reset", json={"email": "s@example.com"})
    [text] = [text for text, _ in target.new_mails() if "#token=" in text]
    reset = text.partition("#token=")[2].split()[0]
    assert status_of(target, reset) == 401


# Row 57
def test_every_token_of_a_disabled_user_is_refused_at_once(target: Target) -> None:
    user = target.new_user("disabled-soon")
    pair = target.sign_in("disabled-soon", STAFF_PASSWORD).json()
    assert status_of(target, pair["access_token"]) == 200
    target.api("PATCH", f"/users/{user['id']}", json={"disabled": True})
    assert status_of(target, pair["access_token"]) == 401
    assert refreshed(target, pair["refresh_token"]).status_code == 401
    target.api("PATCH", f"/users/{user['id']}", json={"disabled": False})
    assert status_of(target, pair["access_token"]) == 401


# Row 57
def test_every_token_is_refused_after_the_password_was_changed(target: Target) -> None:
    target.new_user("changes-password")
    pairs = [target.sign_in("changes-password", STAFF_PASSWORD).json() for _ in range(2)]
    body = {"current_password": STAFF_PASSWORD, "new_password": "violet harbour 42 lanterns"}
    line = {"Authorization": f"Bearer {pairs[0]['access_token']}"}
    answer = target.http.put("/api/v1/users/me/password", json=body, headers=line)
    assert answer.status_code == 204
    for pair in pairs:
        assert status_of(target, pair["access_token"]) == 401
        assert refreshed(target, pair["refresh_token"]).status_code == 401


# Row 57
def test_every_token_of_a_session_is_refused_after_logout(target: Target) -> None:
    pair = target.sign_in("staff", STAFF_PASSWORD).json()
    line = {"Authorization": f"Bearer {pair['access_token']}"}
    assert target.http.post("/api/v1/auth/logout", headers=line).status_code == 204
    assert status_of(target, pair["access_token"]) == 401
    assert refreshed(target, pair["refresh_token"]).status_code == 401


# Row 57
def test_another_role_counts_at_once(target: Target) -> None:
    user = target.new_user("demoted", role="admin")
    pair = target.sign_in("demoted", STAFF_PASSWORD).json()
    line = {"Authorization": f"Bearer {pair['access_token']}"}
    assert target.http.get("/api/v1/users", headers=line).status_code == 200
    target.api("PATCH", f"/users/{user['id']}", json={"role": "staff"})
    assert target.http.get("/api/v1/users", headers=line).status_code in (401, 403)


# Row 58
def test_a_used_refresh_token_ends_its_family_and_is_recorded(target: Target) -> None:
    first = target.sign_in("staff", STAFF_PASSWORD).json()
    second = refreshed(target, first["refresh_token"]).json()
    events = target.count("events")
    assert refreshed(target, first["refresh_token"]).status_code == 401
    assert target.count("events") > events
    assert refreshed(target, second["refresh_token"]).status_code == 401
    assert status_of(target, second["access_token"]) == 401


# Row 58
def test_of_twenty_refreshes_at_once_one_at_most_gets_a_successor(target: Target) -> None:
    token = target.sign_in("staff", STAFF_PASSWORD).json()["refresh_token"]
    answers = target.together(20, lambda _: refreshed(target, token))
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= {200, 401}
    assert statuses.count(200) <= 1


def refreshed(target: Target, token: str) -> Any:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return target.http.post("/api/v1/auth/token", data=form)
