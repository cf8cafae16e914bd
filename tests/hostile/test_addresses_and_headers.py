"""Where a request goes and who it says it is: rows 8 to 12."""

import pytest

from tests.hostile.forms import PDF
from tests.hostile.raw_http import request
from tests.hostile.target import Target
from tests.waiting import wait_until


# Row 8
def test_thousands_of_ranges_of_a_resume_get_the_whole_of_it(target: Target) -> None:
    lead = target.accepted(email="ranges@example.com")
    ranges = ",".join(f"{start}-" for start in range(5000))
    with target.within(cpu_seconds=0.2):
        answer = target.api(
            "GET", f"/leads/{lead['id']}/resume", headers={"Range": f"bytes={ranges}"}
        )
    assert (answer.status_code, answer.content) == (200, PDF)


# Row 8
def test_thousands_of_ranges_of_a_static_file_are_refused_or_ignored(target: Target) -> None:
    ranges = ",".join(f"{start}-" for start in range(5000))
    with target.within(cpu_seconds=0.2):
        answer = target.send(request("GET", "/static/site.css", f"Range: bytes={ranges}"))
    assert answer.status in (200, 416)


# Row 9
@pytest.mark.parametrize(
    "host",
    [
        "a/../b",
        "",
        "evil.com",
        "127.0.0.1.evil.com",
        "evil.com#127.0.0.1",
        "127.0.0.1@evil.com",
        "127.0.0.1:80@evil.com",
        "127.0.0.1 evil.com",
        "127.0.0.1:99999999",
        "127.0.0.1\x00",
        "[::1",
        "\xe9vil.com",
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/v1/users/me"])
def test_another_host_is_refused(target: Target, host: str, path: str) -> None:
    answer = target.send(request("GET", path, f"Host: {host}"))
    assert answer.status == 400
    assert "evil" not in answer.text


# Row 9
@pytest.mark.parametrize("lines", ["", "Host: 127.0.0.1\r\nHost: evil.com\r\n"])
def test_no_host_and_two_hosts_are_refused(target: Target, lines: str) -> None:
    assert (
        target.send(f"GET /healthz HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode()).status
        == 400
    )


# Row 9
def test_an_absolute_address_of_another_host_names_no_link(target: Target) -> None:
    answer = target.send(request("GET", "http://evil.com/healthz"))
    assert answer.status in (200, 400, 404)
    assert "evil.com" not in answer.text


# Row 9
def test_links_in_mails_come_from_the_settings_alone(target: Target) -> None:
    target.new_user("forgetful")
    target.new_mails()
    body = b'{"email": "forgetful@example.com"}'
    claims = ["X-Forwarded-Host: evil.com", "Forwarded: host=evil.com", "X-Host: evil.com"]
    answer = target.send(
        request(
            "POST",
            "/api/v1/auth/password-reset",
            "Content-Type: application/json",
            *claims,
            body=body,
        )
    )
    assert answer.status == 202
    mails = wait_until(target.new_mails)
    assert any("/console/password" in text for text, _ in mails)
    assert not any("evil.com" in text + html for text, html in mails)


# Row 10
def test_what_an_untrusted_peer_says_of_itself_gives_it_no_second_bucket(guarded: Target) -> None:
    def attempt(number: int) -> int:
        claimed = [f"X-Forwarded-For: 203.0.113.{number}", f"X-Forwarded-For: 198.51.100.{number}"]
        named = [f"X-Real-IP: 203.0.113.{number}", f"Forwarded: for=203.0.113.{number}"]
        proto = ["X-Forwarded-Proto: https", "X-Forwarded-Proto: http"]
        data = request("POST", "/api/v1/leads", *claimed, *named, *proto)
        return guarded.send(data, source="127.0.0.2").status

    answers = [attempt(number) for number in range(1, 25)]
    assert answers.count(415) == 20
    assert answers[-1] == 429


# Row 10
def test_the_made_up_left_of_a_trusted_list_gives_no_second_bucket(guarded: Target) -> None:
    def attempt(number: int) -> int:
        line = f"X-Forwarded-For: 203.0.113.{number}, 192.0.2.77"
        return guarded.send(request("POST", "/api/v1/leads", line)).status

    answers = [attempt(number) for number in range(1, 25)]
    assert answers.count(415) == 20
    assert answers[-1] == 429


# Row 11
@pytest.mark.parametrize(
    ("path", "served"),
    [
        ("/", {"GET", "POST"}),
        ("/api/v1/leads", {"GET", "POST"}),
        ("/api/v1/leads/1", {"GET", "PATCH", "DELETE"}),
        ("/api/v1/users", {"GET", "POST"}),
        ("/api/v1/auth/token", {"POST"}),
        ("/healthz", {"GET"}),
        ("/console", {"GET"}),
        ("/static/site.css", {"GET"}),
    ],
)
@pytest.mark.parametrize("method", ["TRACE", "PUT", "CONNECT", "post", "PROPFIND"])
def test_a_method_that_is_not_served_is_refused(
    target: Target, method: str, path: str, served: set[str]
) -> None:
    answer = target.send(request(method, path, "X-Secret: reflected"))
    assert answer.status in (400, 405)
    if answer.status == 405:
        assert served == set(answer.header("allow").split(", ")) - {"HEAD", "OPTIONS"}
    assert "reflected" not in answer.text


# Row 12
@pytest.mark.parametrize(
    "path",
    [
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static/../../../../../../etc/passwd",
        "/static/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/static/..%5c..%5cetc%5cpasswd",
        "/static/%252e%252e/%252e%252e/etc/passwd",
        "/static//etc/passwd",
        "/static///etc/passwd",
        "//etc/passwd",
        "//static/site.css",
        "/static/%00",
        "/static/site.css%00.png",
        "/static/%2fetc%2fpasswd",
        "/static/",
        "/static",
        "/static/vendor",
        "/static/" + "a/" * 2000,
        "/static/" + "a" * 5000,
        "/static/%ff%fe",
        "/static/site.css/x",
        "/.git/config",
        "/.env",
        "/api/v1/../../etc/passwd",
        "/api/v1/leads/%00/resume",
    ],
)
def test_no_file_but_the_static_ones_can_be_reached(target: Target, path: str) -> None:
    answer = target.send(request("GET", path))
    assert answer.status == 404
    assert "root:" not in answer.text
    assert answer.header("x-request-id")
