"""What goes into the log: row 42."""

import json

import pytest

from tests.hostile.raw_http import request
from tests.hostile.target import Target
from tests.waiting import wait_until

ESCAPE = "\x1b[2J"
FORGED = '\n{"level":"error"}'


# Row 42
@pytest.mark.parametrize(
    "path",
    [
        "/%1b%5b2J%0a%7b%22level%22:%22error%22%7d",
        '/a"b\\c{"level":"error"}',
        "/%c2%85%e2%80%a8%00",
        "/api/v1/leads/%0d%0aX",
        "/" + "%0a" * 2000,
    ],
)
@pytest.mark.parametrize("agent", ["\\n{}", '"level":"error"', "\x80\xff", "${jndi:ldap://x.y}"])
def test_each_request_is_one_line_of_json(target: Target, path: str, agent: str) -> None:
    lines = [f"User-Agent: {agent}", f"X-Request-ID: {agent}", f"Referer: {agent}"]
    answer = target.send(request("GET", path, *lines))
    assert answer.status in (400, 404)
    name = answer.header("x-request-id")
    is_parsed = answer.header("date") != ""
    new = wait_until(lambda: lines_about(target, name) or not is_parsed) or []
    assert len(new) == is_parsed
    for line in new:
        assert line.isprintable()
        assert json.loads(line)["level"] == "info"
        assert "jndi" not in line


# Row 42
@pytest.mark.parametrize("name", ["first_name", "email"])
@pytest.mark.parametrize("value", [f"{ESCAPE}Trace", f"{FORGED}Trace"])
def test_a_field_is_never_logged(target: Target, name: str, value: str) -> None:
    target.remember("Trace", 'level\\":\\"error')
    assert target.submit(**{name: value}).status == 422
    assert ESCAPE not in target.service.log


# Row 42: an id that the client names is taken only if it is harmless.
@pytest.mark.parametrize(
    "name", ["a" * 65, "short", "with space in it", "ünïcödé-identity", "a\tb"]
)
def test_a_strange_request_id_is_replaced(target: Target, name: str) -> None:
    answer = target.send(request("GET", "/healthz", f"X-Request-ID: {name}"))
    assert answer.header("x-request-id") not in ("", name)


def lines_about(target: Target, name: str) -> list[str]:
    """Return the lines of the log that name this request."""
    return [line for line in target.service.log.splitlines() if name in line]
