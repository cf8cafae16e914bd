"""From nothing to a lead with its mails, embedded and grown up."""

import stat
from collections.abc import Callable

from tests.servers.service import Service, Worker
from tests.servers.smtp_sink import SmtpSink
from tests.service.client import RESUMES, SETTINGS, Client, captured_mails
from tests.waiting import wait_until

FILES = {
    "Lebenslauf ☕ 履歴書.pdf": ("resume.pdf", "application/pdf"),
    "Résumé.DOC": ("resume.doc", "application/msword"),
    "سيرة.docx": (
        "resume.docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ),
    "резюме.odt": ("resume.odt", "application/vnd.oasis.opendocument.text"),
    "cv.rtf": ("resume.rtf", "application/rtf"),
    "named wrongly.doc": ("resume.rtf", "application/rtf"),
    "plain.txt": ("resume-utf-8.txt", "text/plain"),
    "latin.txt": ("resume-windows-1252.txt", "text/plain"),
    "wide.txt": ("resume-utf-16.txt", "text/plain"),
}


def test_every_kind_of_resume_comes_back_byte_for_byte_under_its_name(
    start_service: Callable[..., Service],
) -> None:
    client = Client(start_service(**SETTINGS))
    for number, (name, (fixture, media_type)) in enumerate(FILES.items(), start=1):
        content = (RESUMES / fixture).read_bytes()
        answer = client.submit(name, content, email=f"p{number}@example.com")
        assert answer.status_code == 201, answer.text
        assert set(answer.json()) == {"reference", "state", "created_at"}

        lead = client.get(f"/leads/{number}").json()
        assert lead["reference"] == answer.json()["reference"]
        assert (lead["resume"]["filename"], lead["resume"]["media_type"]) == (name, media_type)
        download = client.get(f"/leads/{number}/resume")
        assert download.content == content
        assert download.headers["content-type"].partition(";")[0] == media_type


def test_the_embedded_default_writes_both_mails_and_keeps_its_folder_to_itself(
    start_service: Callable[..., Service],
) -> None:
    service = start_service(**SETTINGS, STAFF_EMAILS="desk@firm.example")
    client = Client(service)
    reference = client.submit().json()["reference"]

    wait_until(client.all_sent)
    to_prospect, to_staff = sorted(
        captured_mails(service), key=lambda mail: mail["To"] != "zoe@example.com"
    )
    assert to_prospect["To"] == "zoe@example.com"
    assert reference in to_prospect.get_body(("plain",)).get_content()
    assert to_staff["To"] == "desk@firm.example"
    assert "zoe@example.com" in to_staff["Reply-To"]
    link = f"{service.base_url}/console/leads/{client.only_lead()['id']}"
    assert link in to_staff.get_body(("plain",)).get_content()
    assert not list(to_staff.iter_attachments())

    assert stat.S_IMODE(service.data_dir.stat().st_mode) == 0o700
    for file in service.data_dir.rglob("*"):
        assert stat.S_IMODE(file.stat().st_mode) == (0o700 if file.is_dir() else 0o600), file


def test_with_a_server_redis_and_smtp_a_separate_worker_delivers(
    start_service: Callable[..., Service],
    start_worker: Callable[..., Worker],
    database_url: str,
    redis_url: str,
) -> None:
    with SmtpSink() as sink:
        settings = SETTINGS | {
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "SMTP_HOST": sink.host,
            "SMTP_PORT": str(sink.port),
            "SMTP_SECURITY": "none",
            "MAIL_FROM": "Firm <no-reply@firm.example>",
            "STAFF_EMAILS": "desk@firm.example,boss@firm.example",
        }
        service = start_service("--workers", "2", **settings)
        client = Client(service)
        assert client.submit(email="zoe@例え.jp").status_code == 201
        assert {mail["status"] for mail in client.deliveries()} == {"QUEUED"}

        worker = start_worker(**settings)

        wait_until(client.all_sent)
        assert sorted(mail.recipient for mail in sink.messages) == [
            "boss@firm.example",
            "desk@firm.example",
            "zoe@xn--r8jz45g.jp",
        ]
        download = client.get(f"/leads/{client.only_lead()['id']}/resume").content
        assert download == (RESUMES / "resume.pdf").read_bytes()
        assert worker.stop() == 0
        assert service.stop() == 0
