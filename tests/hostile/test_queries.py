"""Searching, sorting and paging: rows 39 to 41."""

import base64
from urllib.parse import quote

import pytest

from tests.hostile.raw_http import request
from tests.hostile.target import Target

INJECTIONS = [
    "'; DROP TABLE leads;--",
    '" OR 1=1',
    "' OR '1'='1",
    "1; SELECT pg_sleep(9)",
    "') UNION SELECT * FROM users--",
    "\\'; DROP TABLE users;--",
    "x' AND randomblob(1000000000)--",
]


# Row 39
@pytest.mark.parametrize("text", INJECTIONS)
def test_sql_in_a_field_is_only_text(target: Target, text: str) -> None:
    lead = target.accepted(first_name=text, last_name=text, email="sql@example.com")
    assert (lead["first_name"], lead["last_name"]) == (text, text)
    found = target.api("GET", "/leads", params={"q": text}).json()["items"]
    assert [each["id"] for each in found if text not in each["first_name"]] == []
    assert lead["id"] in [each["id"] for each in found]


# Row 39
@pytest.mark.parametrize("text", INJECTIONS[:2])
@pytest.mark.parametrize("name", ["sort", "state", "flagged", "created_from", "cursor", "limit"])
def test_sql_in_a_parameter_is_refused(target: Target, name: str, text: str) -> None:
    with target.storing_nothing():
        assert target.api("GET", "/leads", params={name: text}).status_code == 422


# Row 39
@pytest.mark.parametrize(
    "sort", ["id", "first_name", "created_at desc", "--created_at", "CREATED_AT", "", "1"]
)
def test_an_unknown_order_is_refused(target: Target, sort: str) -> None:
    assert target.api("GET", "/leads", params={"sort": sort}).status_code == 422


# Row 40
@pytest.mark.parametrize("sign", ["%", "_", "\\", "*", "?", "[a-z]", "%%", "\\%", '"', "'", "^"])
def test_a_sign_with_a_meaning_elsewhere_is_searched_for_as_it_is(
    target: Target, sign: str
) -> None:
    plain = target.accepted(first_name="Plain", email="plain@example.com")
    signed = target.accepted(first_name=f"A{sign}B", email="signed@example.com")
    found = target.api("GET", "/leads", params={"q": sign, "limit": 200}).json()["items"]
    ids = [each["id"] for each in found]
    assert signed["id"] in ids
    assert plain["id"] not in ids
    assert all(sign in each["first_name"] + each["last_name"] + each["email"] for each in found)


# Row 40
@pytest.mark.parametrize(
    "text",
    [
        "x" * 10_000,
        "(a+)+$" * 1000,
        "%" * 5000,
        "a" * 2000 + "\u0301" * 2000,
        "\x00",
        "a\x00b",
        "\n",
        "😀" * 1000,
        "\u202e",
        '"' * 3000,
        "NEAR(a b)",
        "a* OR b*",
    ],
)
def test_a_search_for_anything_is_quick_and_finds_nothing(target: Target, text: str) -> None:
    target.remember(text)
    with target.within(cpu_seconds=0.2):
        answer = target.api("GET", "/leads", params={"q": text})
    assert answer.status_code == 200 or (answer.status_code == 422 and "\x00" in text)
    assert answer.status_code == 422 or answer.json()["items"] == []


# Row 40
@pytest.mark.parametrize("raw", ["%ff%fe", "%ed%a0%80", "%", "%zz", "%u0041", "\udcff"])
@pytest.mark.parametrize("path", ["/api/v1/leads", "/api/v1/leads/export"])
def test_a_search_that_is_not_utf_8_gets_an_answer(target: Target, path: str, raw: str) -> None:
    line = f"Authorization: Bearer {target.token()}"
    answer = target.send(request("GET", f"{path}?q={raw}", line))
    assert answer.status in (200, 400, 422)


# Row 41
@pytest.mark.parametrize(
    "limit",
    ["-1", "1e9", "0", "NaN", str(2**63), "201", "1.5", "", "１", "0x10", "true"],  # noqa: RUF001
)
@pytest.mark.parametrize("path", ["/leads", "/users", "/deliveries", "/leads/{lead}/events"])
def test_a_limit_out_of_bounds_is_refused(target: Target, path: str, limit: str) -> None:
    path = path.format(lead=1)
    assert target.api("GET", path, params={"limit": limit}).status_code == 422


def made_up_cursors() -> list[str]:
    return [
        "x",
        "AAAA",
        "0",
        "-1",
        "null",
        "%00",
        "é",
        "=" * 10,
        "a" * 10_000,
        base64.urlsafe_b64encode(b'{"id": 1}').decode(),
        base64.urlsafe_b64encode(b"\x80\x04N.").decode(),
        "../..",
        "1,2",
    ]


# Row 41
@pytest.mark.parametrize("cursor", made_up_cursors())
@pytest.mark.parametrize("path", ["/leads", "/users", "/deliveries"])
def test_a_made_up_cursor_is_refused(target: Target, path: str, cursor: str) -> None:
    assert target.api("GET", path, params={"cursor": cursor}).status_code == 422


# Row 41
def test_a_cursor_of_another_list_or_a_broken_one_is_refused(target: Target) -> None:
    for number in range(3):
        target.accepted(email=f"page{number}@example.com")
    cursor = target.api("GET", "/leads?limit=1").json()["next_cursor"]
    assert target.api("GET", "/leads", params={"cursor": cursor}).status_code == 200
    broken = [cursor[:-1], cursor[1:], cursor + "A", cursor[: len(cursor) // 2], cursor.swapcase()]
    for wrong in broken:
        assert target.api("GET", "/leads", params={"cursor": wrong}).status_code == 422
    for path in ("/leads?sort=email&", "/leads?sort=created_at&", "/users?", "/deliveries?"):
        assert target.api("GET", f"{path}cursor={cursor}").status_code == 422


# Row 41
@pytest.mark.parametrize(
    "moment",
    [
        "yesterday",
        "2026-13-01T00:00:00Z",
        "99999-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-11-01T00:00:00",
        "NaN",
        "1e400",
        "-1",
        "0" * 5000,
    ],
)
def test_a_moment_against_the_rules_gets_no_5xx(target: Target, moment: str) -> None:
    for name in ("created_from", "created_to"):
        answer = target.api("GET", "/leads?" + f"{name}={quote(moment)}")
        assert answer.status_code in (200, 422)


# Row 41
@pytest.mark.parametrize("number", ["0", "-1", str(2**63), str(2**63 - 1), "9" * 40, "1e3", "１"])  # noqa: RUF001
@pytest.mark.parametrize("path", ["/leads/{}", "/leads/{}/resume", "/leads/{}/events", "/users/{}"])
def test_a_number_that_names_nothing_is_not_found(target: Target, path: str, number: str) -> None:
    assert target.api("GET", path.format(number)).status_code in (404, 422)
