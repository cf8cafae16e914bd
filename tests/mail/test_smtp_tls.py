import ssl
from contextlib import closing

import pytest
import trustme

from notion_backend.mail.sender import MailOutage
from notion_backend.mail.smtp import SmtpSender
from notion_backend.mail.smtp_session import Security, SmtpServer, Timeouts
from tests.mail.samples import always, message
from tests.servers.smtp_sink import CLOSE, HANG, SmtpSink

QUICK = Timeouts(connect=0.5, command=0.5, data=0.5, dot=0.5)
AUTHORITY = trustme.CA()


def server_context(name: str = "127.0.0.1", authority: trustme.CA = AUTHORITY) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


def client_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


def sender_to(
    sink: SmtpSink, security: Security, username: str = "", password: str = ""
) -> SmtpSender:
    server = SmtpServer(sink.host, sink.port, security, username, password)
    return SmtpSender(server, timeouts=QUICK, tls_context=client_context())


def fail(sink: SmtpSink, sender: SmtpSender) -> MailOutage:
    with pytest.raises(MailOutage) as caught:
        sender.send(message(), always)
    assert sink.messages == []
    assert not [each for each in sink.commands if each.upper().startswith(("MAIL", "AUTH"))]
    return caught.value


@pytest.mark.parametrize(("security", "implicit"), [("starttls", False), ("tls", True)])
def test_mail_and_sign_in_travel_under_tls(security: Security, implicit: bool) -> None:
    users = {"relay": "s3cret pass"}
    with (
        SmtpSink(tls=server_context(), implicit_tls=implicit, users=users) as sink,
        closing(sender_to(sink, security, "relay", "s3cret pass")) as sender,
    ):
        for _ in range(2):
            sender.send(message(data=b"Subject: x\r\n\r\n" + b"y" * 100_000 + b"\r\n"), always)

        assert [(each.tls, each.user) for each in sink.messages] == [(True, "relay")] * 2
        assert sink.connections == 1


@pytest.mark.parametrize(("security", "implicit"), [("starttls", False), ("tls", True)])
@pytest.mark.parametrize(
    "context", [server_context(authority=trustme.CA()), server_context("other.example")]
)
def test_a_certificate_that_is_not_trusted_or_not_for_this_host_is_an_outage(
    security: Security, implicit: bool, context: ssl.SSLContext
) -> None:
    with SmtpSink(tls=context, implicit_tls=implicit) as sink:
        outage = fail(sink, sender_to(sink, security))

    assert outage.stage == ("connect" if implicit else "starttls")
    assert "certificate is not trusted" in outage.reply


def test_a_server_without_starttls_gets_no_mail_in_the_clear() -> None:
    with SmtpSink() as sink:
        outage = fail(sink, sender_to(sink, "starttls", "relay", "secret"))

    assert outage.stage == "starttls"
    assert "does not offer STARTTLS" in outage.reply


@pytest.mark.parametrize("step", ["454 4.7.0 not now", "502 5.5.1 no", CLOSE, HANG])
def test_starttls_that_fails_is_an_outage(step: str) -> None:
    with SmtpSink(tls=server_context()) as sink:
        sink.script["starttls"] = step

        assert fail(sink, sender_to(sink, "starttls")).stage == "starttls"


def test_what_was_said_before_tls_is_forgotten() -> None:
    with SmtpSink(tls=server_context()) as sink:
        injected = "220 2.0.0 go ahead\r\n250-evil.example\r\n250 SMTPUTF8"
        sink.script["starttls"] = injected
        sink.smtputf8 = False

        with closing(sender_to(sink, "starttls")) as sender:
            sender.send(message(), always)
        assert sink.messages[0].tls
        assert len([each for each in sink.commands if each.upper().startswith("EHLO")]) == 2


def test_tls_against_a_server_that_speaks_in_the_clear_is_an_outage() -> None:
    with SmtpSink() as sink:
        assert fail(sink, sender_to(sink, "tls")).stage == "connect"


@pytest.mark.parametrize(
    ("users", "password", "words"),
    [
        ({"relay": "right"}, "wrong", "535 5.7.8 authentication failed"),
        (None, "secret", "not supported"),
        ({"relay": "pässword"}, "pässword", "ASCII"),
    ],
)
def test_a_sign_in_that_fails_is_an_outage_that_says_why(
    users: dict[str, str] | None, password: str, words: str
) -> None:
    with (
        SmtpSink(tls=server_context(), users=users) as sink,
        closing(sender_to(sink, "starttls", "relay", password)) as sender,
        pytest.raises(MailOutage) as caught,
    ):
        sender.send(message(), always)

    assert caught.value.stage == "auth"
    assert words in caught.value.reply
    assert password not in caught.value.reply
    assert sink.messages == []


def test_the_password_is_not_in_the_description_of_the_server() -> None:
    assert "secret" not in repr(SmtpServer("mail.example", password="secret"))
