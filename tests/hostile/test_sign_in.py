"""Guessing and probing at the door: rows 61 to 63."""

import json
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path

import httpx
import pytest

from tests.hostile.conftest import NO_LIMITS
from tests.hostile.raw_http import Answer, request
from tests.hostile.target import STAFF_PASSWORD, Target

TOKEN = "/api/v1/auth/token"
WRONG = "a password that is wrong"
TRIES = 15
ROUNDS = 3


def post_form(target: Target, body: str, content_type: str) -> Answer:
    line = f"Content-Type: {content_type}"
    return target.send(request("POST", TOKEN, line, body=body.encode("utf-8", "surrogatepass")))


# Row 61
@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_a_hundred_failures_stop_an_account_for_a_while_wherever_they_come_from(
    guarded: Target,
) -> None:
    guarded.new_user("guessed")

    def guess(number: int) -> list[int]:
        claimed = [{"X-Forwarded-For": f"198.51.{number}.{part}"} for part in range(25)]
        return [guarded.sign_in("guessed", WRONG, **each).status_code for each in claimed]

    assert set(chain.from_iterable(guarded.together(4, guess))) == {401}
    stopped = guarded.sign_in("guessed", STAFF_PASSWORD, **{"X-Forwarded-For": "203.0.113.200"})
    assert stopped.status_code == 429
    assert 1 <= int(stopped.headers["retry-after"]) <= 900
    assert stopped.json()["code"] == "rate_limited"
    other = guarded.sign_in("staff", STAFF_PASSWORD, **{"X-Forwarded-For": "203.0.113.200"})
    assert other.status_code == 200


# Row 61: an account that does not exist is stopped alike, so that the answer tells nothing.
def test_one_address_gets_ten_tries_a_minute(guarded: Target) -> None:
    claimed = {"X-Forwarded-For": "203.0.113.201"}
    body = {"grant_type": "password", "username": "", "password": ""}
    answers = [guarded.http.post(TOKEN, data=body, headers=claimed) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [422] * 10 + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 60


# Row 62
@pytest.mark.parametrize(
    "body",
    [
        "grant_type=password&password=x",
        "grant_type=password&username=&password=x",
        "grant_type=password&username[]=admin&password=x",
        "grant_type=password&username[a]=admin&password=x",
        "grant_type=password&username=admin&username=staff&password=x",
        "grant_type=password&username=admin&password=x&password=y",
        "grant_type=password&grant_type=refresh_token&username=admin&password=x",
        "grant_type=client_credentials&username=admin&password=x",
        "username=admin&password=x",
        "",
        "&&&&",
        "=",
    ],
)
def test_a_sign_in_form_against_the_rules_is_refused(target: Target, body: str) -> None:
    answer = post_form(target, body, "application/x-www-form-urlencoded")
    assert answer.status == 422


# Row 62
@pytest.mark.parametrize(
    "body",
    [
        {"username": ["admin"]},
        {"username": {"$ne": ""}},
        {"username": 1},
        {"username": None},
        {"username": True},
        [],
        1,
        None,
        {},
    ],
    ids=json.dumps,
)
def test_a_sign_in_in_json_is_refused(target: Target, body: object) -> None:
    if isinstance(body, dict):
        body = {"grant_type": "password", "password": "x"} | body
    answer = post_form(target, json.dumps(body), "application/json")
    assert answer.status in (415, 422)


# Row 62
@pytest.mark.parametrize(
    "raw", ["%ff%fe", "%ed%a0%80", "a%00b", "%0d%0a", "é" * 5000, "%", "admin%00", "\udcff"]
)
def test_a_username_of_any_bytes_gets_no_5xx(target: Target, raw: str) -> None:
    body = f"grant_type=password&username={raw}&password=x"
    answer = post_form(target, body, "application/x-www-form-urlencoded")
    assert answer.status in (400, 401, 422)


# Row 62
def test_a_username_has_one_spelling(target: Target) -> None:
    user = target.new_user("Straße.Zoë")
    assert user["username"] == "Straße.Zoë".casefold()
    for spelling in ("straße.zoë", "STRASSE.ZOË", "strasse.zoe\u0308"):
        assert target.sign_in(spelling, STAFF_PASSWORD).status_code == 200
        again = {"username": spelling, "email": "again@example.com", "password": STAFF_PASSWORD}
        assert target.api("POST", "/users", json=again).status_code == 409
    assert target.sign_in("STRASSE.ZOË@EXAMPLE.com", STAFF_PASSWORD).status_code in (200, 401)


# Row 62
@pytest.mark.parametrize(
    "name", ["a@b", "", " ", "a b", "a\u200bb", "a\u202eb", "x" * 151, "a\x00", "a\nb", "\ud800"]
)
def test_a_username_that_misleads_is_refused(target: Target, name: str) -> None:
    user = {"username": name, "email": "misleading@example.com", "password": STAFF_PASSWORD}
    headers = {"Content-Type": "application/json"}
    with target.storing_nothing():
        answer = target.api("POST", "/users", content=json.dumps(user).encode(), headers=headers)
    assert answer.status_code == 422


def take_as_long(
    calls: dict[str, Callable[[], httpx.Response]], factor: float, slack: float = 0.0
) -> bool:
    """Tell whether all calls take alike: medians apart by no more than `factor` and `slack` s.

    Each is measured in turn, so that whatever else the machine does meets all alike. What differs
    by itself differs in each of three rounds; what a busy machine does to one round, does not.
    """
    for _ in range(ROUNDS):
        seconds: dict[str, list[float]] = {name: [] for name in calls}
        for _ in range(TRIES):
            for name, call in calls.items():
                started = time.perf_counter()
                call()
                seconds[name].append(time.perf_counter() - started)
        found = [statistics.median(each) for each in seconds.values()]
        if max(found) <= min(found) * factor + slack:
            return True
    return False


def what_is_told(answer: httpx.Response) -> tuple[int, dict[str, str], str]:
    """Return all of an answer but what is new in each."""
    own = answer.headers["x-request-id"]
    headers = {name: value for name, value in answer.headers.items() if name != "date"}
    return (
        answer.status_code,
        headers | {"x-request-id": ""},
        answer.text.replace(own, ""),
    )


@pytest.fixture
def deployed(sqlite_url: str, tmp_path: Path) -> Iterator[Target]:
    """A service that hashes at the recommended cost, which is most of what a sign-in takes."""
    target = Target(tmp_path, sqlite_url, **NO_LIMITS)
    with target.service, closing(target):
        target.prepare()
        yield target


# Row 63
def test_a_failed_sign_in_does_not_tell_who_exists(deployed: Target) -> None:
    target = deployed
    user = target.new_user("out-of-service")
    target.api("PATCH", f"/users/{user['id']}", json={"disabled": True})
    names = ["staff", "nobody", "out-of-service"]
    answers = [what_is_told(target.sign_in(name, WRONG)) for name in names]
    assert answers == [answers[0]] * 3
    assert answers[0][0] == 401
    calls = {name: lambda name=name: target.sign_in(name, WRONG) for name in names[:2]}
    assert take_as_long(calls, 1.25)


# Row 63
@pytest.mark.parametrize(
    ("path", "sent_as", "status"),
    [("/api/v1/auth/password-reset", "json", 202), ("/console/forgot", "data", 303)],
)
def test_asking_for_a_reset_does_not_tell_who_exists(
    target: Target, path: str, sent_as: str, status: int
) -> None:
    target.new_user(f"asks-as-{sent_as}")
    emails = {"known": f"asks-as-{sent_as}@example.com", "unknown": "nobody-at-all@example.com"}
    calls = {
        name: lambda email=email: target.http.post(path, **{sent_as: {"email": email}})
        for name, email in emails.items()
    }
    answers = [what_is_told(call()) for call in calls.values()]
    assert answers == [answers[0]] * 2
    assert answers[0][0] == status
    assert take_as_long(calls, 1.5, slack=0.002)
    target.wait_for_mails()
