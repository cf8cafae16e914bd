"""A mail server that cannot be trusted or does not trust us gets no mail and no password."""

import base64
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from tests.faults import figures
from tests.faults.installation import Installation
from tests.servers.smtp_sink import SmtpSink
from tests.waiting import wait_until

AUTHORITY = trustme.CA()
PASSWORD = "the password of the relay"
WAITS = {"first probe": 0.3, "probe": 1.0}


def _certificate(authority: trustme.CA = AUTHORITY, name: str = "127.0.0.1") -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


FAULTS: dict[str, tuple[Callable[[SmtpSink], object], str]] = {
    "535 on AUTH": (
        lambda sink: setattr(sink, "users", {"relay": "another password"}),
        "auth: 535 5.7.8 authentication failed",
    ),
    "certificate of a stranger": (
        lambda sink: setattr(sink, "tls", _certificate(trustme.CA())),
        "starttls: the certificate is not trusted",
    ),
    "certificate of another host": (
        lambda sink: setattr(sink, "tls", _certificate(name="other.example")),
        "starttls: the certificate is not trusted",
    ),
    "STARTTLS missing": (
        lambda sink: setattr(sink, "tls", None),
        "starttls: the server does not offer STARTTLS",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_mail_and_no_password_leave_in_the_clear_and_all_is_sent_later(
    fault: str,
    installation: Callable[..., Installation],
    measured: Callable[[str, str, str], None],
    tmp_path: Path,
) -> None:
    fail, words = FAULTS[fault]
    AUTHORITY.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    parts = installation(
        sink=SmtpSink(tls=_certificate(), users={"relay": PASSWORD}),
        waits=WAITS,
        SMTP_SECURITY="starttls",
        SMTP_USERNAME="relay",
        SMTP_PASSWORD=PASSWORD,
        SSL_CERT_FILE=str(tmp_path / "authority.pem"),
    )
    fail(parts.sink)
    heard = parts.smtp_proxy.heard = bytearray()
    with parts.load(clients=2, pause=0.1) as load:
        wait_until(lambda: parts.readiness()[1]["parts"]["mail"] != "ok", 30)
        tried = parts.sink.connections
        wait_until(lambda: parts.sink.connections >= tried + 2 and len(load.answers) >= 10, 30)
        wait_until(lambda: any(mail["last_reply"] for mail in parts.mails()), 30)
        replies = {mail["last_reply"] for mail in parts.mails()} - {None}
        assert not [one for one in parts.sink.commands if one.upper().startswith("MAIL")]
        assert parts.sink.messages == []
        assert parts.attempts() == []
        assert parts.count("FAILED") == 0
        probes = parts.sink.connections
        parts.sink.tls, parts.sink.users = _certificate(), {"relay": PASSWORD}
        healed = load.now()
        wait_until(lambda: parts.readiness()[1]["parts"]["mail"] == "ok", 30)
        recovery = load.now() - healed
    assert set(load.statuses) == {201}
    assert all(reply.startswith(words) for reply in replies)
    parts.assert_nothing_lost()
    assert {(one.tls, one.user) for one in parts.sink.messages} == {(True, "relay")}
    assert {mail["attempts"] for mail in parts.mails()} == {1}
    _assert_secret(bytes(heard))
    measured(
        f"SMTP: {fault}",
        f"{load.statuses[201]} x 201",
        f"{probes} connections, 0 mails and no password in the clear, 0 FAILED; flows "
        f"{recovery:.1f} s after, longest lag {figures.lag(parts.mails()):.1f} s",
    )


def _assert_secret(heard: bytes) -> None:
    assert b"EHLO" in heard.upper()  # it was listened to
    assert b"MAIL FROM" not in heard
    assert b"AUTH" not in heard
    for secret in (PASSWORD, f"\0relay\0{PASSWORD}"):
        assert secret.encode() not in heard
        assert base64.b64encode(secret.encode()) not in heard
