"""The form reader over real sockets: what it takes, what it refuses, what it leaves behind."""

import contextlib
import hashlib
import os
import resource
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.server.application import LIMIT, create
from tests.server.serving import Running, serving
from tests.waiting import wait_until

URL = "/api/v1/leads"
TEXT = b'--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
FILE = b'--b\r\nContent-Disposition: form-data; name="resume"; filename="a.pdf"\r\n\r\n%s\r\n'
END = b"--b--\r\n"


def post(
    client: httpx.Client, *parts: bytes, boundary: str = "b", chunked: bool = False
) -> httpx.Response:
    body = b"".join(parts)
    content = _pieces(body) if chunked else body
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    return client.post(URL, content=content, headers=headers)


def _pieces(body: bytes, size: int = 50_000) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


@pytest.mark.parametrize("chunked", [False, True])
def test_fields_and_file_arrive_as_sent(client: httpx.Client, chunked: bool) -> None:
    content = os.urandom(50_000) + b"\r\n--c\r\n--" + os.urandom(40_000)
    name = "Zoë 用户 ;=\\".encode()
    answer = post(client, TEXT % (b"first_name", name), FILE % content, END, chunked=chunked)
    assert answer.json() == {
        "fields": {"first_name": "Zoë 用户 ;=\\"},
        "file": {
            "filename": "a.pdf",
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "read": len(content),
        },
    }


def test_what_httpx_sends_is_read(client: httpx.Client) -> None:
    answer = client.post(URL, data={"first_name": "Ann"}, files={"resume": ("ü;.pdf", b"%PDF-")})
    assert answer.json()["file"]["filename"] == "ü;.pdf"
    assert answer.json()["fields"] == {"first_name": "Ann"}


def test_a_form_cut_anywhere_into_packets_is_the_same_form(running: Running) -> None:
    body = b"\r\n" + TEXT % (b"a", b"1\r\n--x") + FILE % b"\r\n--b\r\r\n-" + END
    head = (
        b"POST /api/v1/leads HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Content-Type: multipart/form-data; boundary=bb\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    body = body.replace(b"--b", b"--bb")
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    answer = running.answer_to(head + chunks)
    assert b'"a":"1\\r\\n--x"' in answer
    assert b'"size":10' in answer


@pytest.mark.parametrize("size", [LIMIT, LIMIT + 1, 4 * LIMIT])
def test_the_limit_is_exact_and_a_form_beyond_it_is_read_to_its_end(
    client: httpx.Client, size: int
) -> None:
    answer = post(client, FILE % (b"x" * size), TEXT % (b"last", b"1"), END)
    if size == LIMIT:
        assert answer.json()["file"]["size"] == LIMIT
        assert answer.json()["fields"] == {"last": "1"}
    else:
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        assert "connection" not in answer.headers


def test_a_body_without_a_length_is_refused_at_four_times_the_limit(client: httpx.Client) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield FILE[:-4]
        while True:
            sent += 10_000
            yield b"x" * 10_000

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    # The server hangs up after two seconds; until then it throws away what comes.
    with contextlib.suppress(httpx.WriteError):
        assert client.post(URL, content=endless(), headers=headers).status_code == 413
    assert sent > 4 * LIMIT


def test_a_file_that_does_not_fit_into_memory_goes_to_disk_and_is_gone_after(
    tmp_path: Path,
) -> None:
    seen: list[bool] = []
    content = os.urandom(5_000_000)

    def create_large() -> object:
        return create(limit=5_000_000, folder=tmp_path, on_form=lambda: seen.append(_on_disk()))

    def _on_disk() -> bool:
        return any(link.is_relative_to(tmp_path) for link in _open_files())

    with serving(create_large) as running, httpx.Client(trust_env=False) as client:
        url = f"http://127.0.0.1:{running.port}{URL}"
        answer = client.post(url, files={"resume": ("a.pdf", content)})
        assert answer.json()["file"]["sha256"] == hashlib.sha256(content).hexdigest()
        assert answer.json()["file"]["read"] == len(content)
        assert seen == [True]
        assert not _on_disk()
        head = "POST /api/v1/leads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5000000\r\n"
        with running.connect() as connection:
            connection.sendall(
                head.encode() + b"Content-Type: multipart/form-data; boundary=b\r\n\r\n"
            )
            connection.sendall(FILE[:-4] + b"x" * 4_000_000)
            wait_until(_on_disk)
        wait_until(lambda: not _on_disk())
        assert list(tmp_path.iterdir()) == []


def _open_files() -> Iterator[Path]:
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            yield link.readlink()


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (None, 415),
        ("application/json", 415),
        ("text/plain", 415),
        ("multipart/mixed; boundary=b", 415),
        ("multipart/form-data", 400),
        ("multipart/form-data; boundary=", 400),
        ("multipart/form-data; boundary=" + "b" * 71, 400),
        ("multipart/form-data; boundary=" + "b" * 300, 400),
        ('multipart/form-data; boundary="' + "\\" * 10_000 + '"', 400),
        ('multipart/form-data; boundary="b "', 400),
        ("multipart/form-data; boundary=b;" + "a=b;" * 5000, 400),
    ],
)
def test_a_body_of_another_type_or_with_an_odd_boundary_is_refused(
    client: httpx.Client, content_type: str | None, status: int
) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    before = cpu_seconds()
    answer = client.post(URL, content=FILE % b"x" + END, headers=headers)
    assert cpu_seconds() - before < 0.6
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


HEADER = b"X-%d: y\r\n"
PART = b'--b\r\n%sContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"nothing of the kind",
        TEXT % (b"a", b"1"),
        FILE % b"x",
        (FILE % b"x" + END)[:-3],
        b"\r\n" * 10_000 + b"--x\r\n",
        b"\r\n" * 100_000 + TEXT % (b"a", b"1") + END,
        TEXT % (b"a", b"1") + END + b"\r\n" * 100_000,
        PART % b"".join(HEADER % number for number in range(5000)) + END,
        PART % b"".join(HEADER % number for number in range(16)) + END,
        PART % (b"X: " + b"y" * 200_000 + b"\r\n") + END,
        PART % (b"X: " + b"y" * 8193 + b"\r\n") + END,
        PART % b"Content-Disposition: form-data; name=b\r\n" + END,
        PART % b"Content-Transfer-Encoding: base64\r\n" + END,
        b"".join(TEXT % (b"f%d" % number, b"") for number in range(1001)) + END,
        b"".join(TEXT % (b"f%d" % number, b"") for number in range(21)) + END,
        b"--b\r\n\r\nx\r\n" + END,
        b"--b\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n" + END,
        b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n" + END,
        b"--b\r\nContent-Disposition: form-data; name=a\n\nx\r\n" + END,
        FILE % b"x" + b"--b" + b" " * 100_000 + (TEXT % (b"a", b"1"))[3:] + END,
        FILE % (b"\r\n--bX" * 10_000) + END,
    ],
)
def test_a_body_that_cannot_be_read_is_refused(client: httpx.Client, body: bytes) -> None:
    before = cpu_seconds()
    answer = post(client, body)
    assert cpu_seconds() - before < 0.6
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        (TEXT % (b"a", b"1") + TEXT % (b"a", b"1") + END, "a", "repeated"),
        (FILE % b"x" + FILE % b"y" + END, "resume", "repeated"),
        (TEXT % (b"resume", b"x") + END, "resume", "required"),
        (FILE.replace(b"resume", b"first_name") % b"x" + END, "first_name", "not_a_file"),
        (TEXT % (b"a", b"\xff") + END, "a", "encoding"),
        (TEXT % (b"a", b"\xc0\xaf") + END, "a", "encoding"),
        (TEXT % (b"\xff", b"1") + END, "form", "encoding"),
        (FILE.replace(b"a.pdf", b"\xff") % b"x" + END, "resume", "encoding"),
        (TEXT % (b"a", b"x" * 65_537) + END, "a", "too_long"),
    ],
)
def test_a_part_that_may_not_be_names_its_field(
    client: httpx.Client, body: bytes, field: str, code: str
) -> None:
    answer = post(client, body)
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["field"], error["code"]) == (422, field, code)


def test_twenty_fields_of_any_name_are_read(client: httpx.Client) -> None:
    parts = [TEXT % (b"f%d" % number, b"x") for number in range(20)]
    answer = post(client, *parts, FILE % b"x", END)
    assert len(answer.json()["fields"]) == 20


@pytest.mark.parametrize(
    ("disposition", "filename"),
    [
        (b"filename=\"a.pdf\"; filename*=UTF-8''evil.exe", "a.pdf"),
        (b"filename*=UTF-8''evil.exe; filename=\"a.pdf\"", "a.pdf"),
        (b'filename="../../etc/cron.d/x"', "../../etc/cron.d/x"),
        (b'filename="a;b=\\"c\\".pdf"', 'a;b="c".pdf'),
        (b'filename="a\x00b.pdf"', "a\x00b.pdf"),
        (b"filename=a.pdf", "a.pdf"),
    ],
)
def test_the_plain_file_name_counts(
    client: httpx.Client, disposition: bytes, filename: str
) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="resume"; %s\r\n\r\nx\r\n' % disposition
    assert post(client, part, END).json()["file"]["filename"] == filename


def test_an_empty_file_name_means_that_no_file_was_chosen(client: httpx.Client) -> None:
    answer = post(client, FILE.replace(b"a.pdf", b"") % b"", END)
    assert answer.json() == {"fields": {}, "file": None}


def test_an_empty_file_is_a_file(client: httpx.Client) -> None:
    assert post(client, FILE % b"", END).json()["file"]["size"] == 0


def test_an_empty_form_is_a_form(client: httpx.Client) -> None:
    assert post(client, END).json() == {"fields": {}, "file": None}


def test_two_content_types_are_refused(running: Running) -> None:
    answer = running.answer_to(
        b"POST /api/v1/leads HTTP/1.1\r\nHost: localhost\r\nContent-Length: 7\r\n"
        b"Connection: close\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\nContent-Type: text/plain\r\n\r\n" + END
    )
    assert b" 400 " in answer


def test_a_full_disk_is_unavailable_and_comes_back(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    with (
        serving(lambda: create(limit=5_000_000, folder=gone)) as running,
        httpx.Client(trust_env=False) as client,
    ):
        url = f"http://127.0.0.1:{running.port}{URL}"
        answer = client.post(url, files={"resume": ("a.pdf", b"x" * 3_000_000)})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
        gone.mkdir()
        answer = client.post(url, files={"resume": ("a.pdf", b"x" * 3_000_000)})
        assert answer.json()["file"]["size"] == 3_000_000
