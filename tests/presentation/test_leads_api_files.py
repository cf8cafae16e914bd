"""Résumés and exports over HTTP."""

import csv
import io
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import httpx
import pytest

from notion_backend.presentation.downloads import content_disposition
from tests.factories import A_RESUME
from tests.presentation.leads_app import LeadsApp, leads_app
from tests.rows import all_events
from tests.server.serving import read_all


@pytest.fixture
def app(tmp_path: Path, sqlite_url: str) -> Iterator[LeadsApp]:
    with leads_app(tmp_path, sqlite_url) as served:
        yield served


def test_a_resume_comes_back_byte_for_byte_and_is_never_opened_as_a_page(app: LeadsApp) -> None:
    lead = app.store(resume_filename="Lebenslauf \u2013 Zoë.pdf")
    answer = app.staff.get(f"/leads/{lead.id}/resume")
    assert (answer.status_code, answer.content) == (200, A_RESUME)
    headers = answer.headers
    assert headers["content-type"] == "application/pdf"
    assert headers["content-length"] == str(len(A_RESUME))
    assert headers["content-disposition"] == (
        'attachment; filename="Lebenslauf _ Zo_.pdf"; '
        "filename*=UTF-8''Lebenslauf%20%E2%80%93%20Zo%C3%AB.pdf"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert headers["cache-control"] == "no-store"
    assert headers["etag"] == f'"{lead.resume_sha256}"'
    assert headers["accept-ranges"] == "none"
    assert app.actions(lead.id) == ["resume.downloaded"]


def test_a_text_is_sent_without_a_character_set_of_ours(app: LeadsApp) -> None:
    lead = app.store(resume="Zoë".encode("utf-16"), resume_media_type="text/plain")
    answer = app.staff.get(f"/leads/{lead.id}/resume")
    assert (answer.headers["content-type"], answer.content) == (
        "text/plain",
        "Zoë".encode("utf-16"),
    )


def test_ranges_are_ignored(app: LeadsApp) -> None:
    lead = app.store()
    ranges = "bytes=" + ",".join(f"0-{number}" for number in range(1000))
    answer = app.staff.get(f"/leads/{lead.id}/resume", headers={"Range": ranges})
    assert (answer.status_code, answer.content) == (200, A_RESUME)


def test_an_imported_lead_has_no_resume(app: LeadsApp) -> None:
    answer = app.staff.get(f"/leads/{app.store(resume=None).id}/resume")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_resume")


@pytest.mark.parametrize(
    "filename",
    [
        "plain.pdf",
        'a"b.pdf',
        "a\\b.pdf",
        "a;b=c.pdf",
        "100%41.pdf",
        "履歴書.pdf",
        "'quoted'*.pdf",
        "a\r\nX-Evil: 1.pdf",
        "👩‍🔬.pdf",
    ],
)
def test_a_file_name_is_one_header_line_and_comes_back_whole(filename: str) -> None:
    header = content_disposition(filename)
    assert header.isascii()
    assert header.isprintable()
    plain, _, extended = header.removeprefix('attachment; filename="').partition('"')
    assert not set(plain) & set('"\\%')
    assert (unquote(extended.removeprefix("; filename*=UTF-8''")) or plain) == filename


def test_a_resume_erased_on_its_way_is_cut_off(app: LeadsApp) -> None:
    size = 24 * 1024 * 1024
    lead = app.store(resume=b"x" * size)
    token = app.staff.headers["authorization"]
    request = (
        f"GET /api/v1/leads/{lead.id}/resume HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: {token}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", app.port), timeout=20) as connection:
        connection.sendall(request.encode())
        head = connection.recv(1024)
        assert f"content-length: {size}".encode() in head.lower()
        assert app.admin.delete(f"/leads/{lead.id}").status_code == 204
        received = len(head) + len(read_all(connection))
    assert received < size


def test_an_export_is_a_file_with_the_filters_of_the_list(app: LeadsApp) -> None:
    app.store(first_name="=1+1", last_name="Needle")
    app.store(last_name="Haystack")
    answer = app.staff.get("/leads/export?format=csv&q=needle&sort=last_name&limit=1")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].startswith('attachment; filename="leads-2')
    assert answer.headers["content-disposition"].endswith('.csv"')
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert ',"\'=1+1",' in answer.text
    (row,) = csv.DictReader(io.StringIO(answer.text, newline=""))
    assert row["last_name"] == "Needle"
    lines = app.staff.get("/leads/export?format=jsonl").text.splitlines()
    assert len(lines) == 2
    actions = [(event.action, event.detail) for event in all_events(app.database)]
    assert actions[-2:] == [("leads.exported", "csv"), ("leads.exported", "jsonl")]


@pytest.mark.parametrize(
    ("query", "field"), [("format=xls", "format"), ("sort=x", "sort"), ("q=%00", "q")]
)
def test_a_wrong_export_is_refused_before_it_begins(app: LeadsApp, query: str, field: str) -> None:
    answer: httpx.Response = app.staff.get(f"/leads/export?{query}")
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not [event for event in all_events(app.database) if event.action == "leads.exported"]
