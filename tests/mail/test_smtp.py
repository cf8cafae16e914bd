import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from notion_backend.mail.sender import (
    LeaseLost,
    MailDeferred,
    MailError,
    MailOutage,
    MailRejected,
    MailUncertain,
)
from notion_backend.mail.smtp import SmtpSender
from notion_backend.mail.smtp_session import SmtpServer, Timeouts
from tests.mail.samples import always, message
from tests.servers.process import free_port
from tests.servers.smtp_sink import CLOSE, HANG, RESET, Action, SmtpSink
from tests.waiting import wait_until

QUICK = Timeouts(connect=0.3, command=0.3, data=0.3, dot=0.3)


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as server:
        yield server


@pytest.fixture
def sender(sink: SmtpSink) -> Iterator[SmtpSender]:
    with closing(sender_to(sink)) as sender:
        yield sender


def sender_to(sink: SmtpSink, **options: float) -> SmtpSender:
    server = SmtpServer(sink.host, sink.port, "none")
    return SmtpSender(server, timeouts=QUICK, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "data",
    [
        b"Subject: dots\r\n\r\n.\r\n..\r\n.a\r\nmiddle.\r\n\r\n.\r\n",
        b".starts: with a dot\r\n\r\n",
    ],
)
def test_a_message_arrives_byte_for_byte_and_the_reply_comes_back(
    sink: SmtpSink, sender: SmtpSender, data: bytes
) -> None:
    assert sender.send(message(data=data), always) == "250 2.0.0 kept"
    (received,) = sink.messages
    assert received.data == data
    assert (received.sender, received.recipient) == (
        "no-reply@firm.example",
        "ada@prospect.example",
    )


def test_one_connection_carries_many_messages_and_ends_with_quit(
    sink: SmtpSink, sender: SmtpSender
) -> None:
    for number in range(5):
        sender.send(message(f"p{number}@prospect.example"), always)
    sender.close()

    assert sink.connections == 1
    assert [each.recipient for each in sink.messages] == [
        f"p{n}@prospect.example" for n in range(5)
    ]
    wait_until(lambda: sink.commands[-1] == "QUIT")
    sender.send(message(), always)
    assert sink.connections == 2


def test_a_connection_is_left_after_its_share_of_messages(sink: SmtpSink) -> None:
    with closing(sender_to(sink, messages_per_connection=2)) as sender:
        for _ in range(5):
            sender.send(message(), always)

    assert sink.connections == 3


def test_a_connection_that_was_idle_for_long_is_left(sink: SmtpSink) -> None:
    with closing(sender_to(sink, idle_seconds=0)) as sender:
        for _ in range(2):
            sender.send(message(), always)

    assert sink.connections == 2


@pytest.mark.parametrize("farewell", ["421 4.4.2 idle for too long", CLOSE, RESET, HANG])
def test_a_kept_connection_that_has_died_is_replaced_without_an_outage(
    sink: SmtpSink, sender: SmtpSender, farewell: str | Action
) -> None:
    sender.send(message(), always)
    sink.script["mail"] = [farewell]
    sender.send(message(), always)
    sink.cut_connections()
    sender.send(message(), always)

    assert (len(sink.messages), sink.connections) == (3, 3)


def test_a_restarted_server_is_no_outage(sink: SmtpSink, sender: SmtpSender) -> None:
    sender.send(message(), always)
    sink.stop()
    sink.start()
    sender.send(message(), always)

    assert len(sink.messages) == 2


def test_a_refusal_of_mail_on_a_kept_connection_is_believed_when_a_new_one_repeats_it(
    sink: SmtpSink, sender: SmtpSender
) -> None:
    sender.send(message(), always)
    sink.script["mail"] = "550 5.7.1 sender refused"

    with pytest.raises(MailOutage):
        sender.send(message(), always)
    assert sink.connections == 2


def test_a_server_that_tires_of_a_connection_is_no_outage(
    sink: SmtpSink, sender: SmtpSender
) -> None:
    sender.send(message(), always)
    sink.script["mail"] = ["451 4.7.0 too many messages on this connection"]

    sender.send(message(), always)
    assert len(sink.messages) == 2
    assert sink.connections == 2


STAGES = [
    ("banner", "554 5.3.2 no service", MailOutage),
    ("banner", "421 4.3.2 too busy", MailOutage),
    ("banner", "SSH-2.0-OpenSSH_10.0", MailOutage),
    ("banner", CLOSE, MailOutage),
    ("banner", HANG, MailOutage),
    ("ehlo", "550 5.7.1 go away", MailOutage),
    ("ehlo", "421 4.3.2 too busy", MailOutage),
    ("ehlo", CLOSE, MailOutage),
    ("ehlo", HANG, MailOutage),
    ("mail", "451 4.3.0 later", MailOutage),
    ("mail", "550 5.7.1 sender refused", MailOutage),
    ("mail", "530 5.7.0 authentication required", MailOutage),
    ("mail", "421 4.3.2 too busy", MailOutage),
    ("mail", "what?", MailOutage),
    ("mail", CLOSE, MailOutage),
    ("mail", HANG, MailOutage),
    ("rcpt", "450 4.2.1 mailbox busy", MailDeferred),
    ("rcpt", "451 4.3.0 later", MailDeferred),
    ("rcpt", "452 4.2.2 full", MailDeferred),
    ("rcpt", "421 4.3.2 too busy", MailDeferred),
    ("rcpt", "what?", MailDeferred),
    ("rcpt", CLOSE, MailDeferred),
    ("rcpt", RESET, MailDeferred),
    ("rcpt", HANG, MailDeferred),
    ("rcpt", "550 5.1.1 no such user", MailRejected),
    ("rcpt", "554 5.7.1 no", MailRejected),
    ("data", "451 4.3.0 later", MailDeferred),
    ("data", "421 4.3.2 too busy", MailDeferred),
    ("data", "250 what?", MailDeferred),
    ("data", CLOSE, MailDeferred),
    ("data", HANG, MailDeferred),
    ("data", "554 5.5.1 no", MailRejected),
    ("dot", "451 4.3.0 later", MailDeferred),
    ("dot", "452 4.3.1 disk full", MailDeferred),
    ("dot", "421 4.3.2 too busy", MailDeferred),
    ("dot", "552 5.3.4 too big", MailRejected),
    ("dot", "554 5.7.1 spam", MailRejected),
    ("dot", CLOSE, MailUncertain),
    ("dot", RESET, MailUncertain),
    ("dot", HANG, MailUncertain),
    ("dot", "354 what?", MailUncertain),
    ("dot", "what?", MailUncertain),
]


@pytest.mark.parametrize(("stage", "step", "kind"), STAGES)
def test_a_failure_is_put_down_to_who_caused_it_and_the_next_mail_goes_out(
    sink: SmtpSink, sender: SmtpSender, stage: str, step: str | Action, kind: type[MailError]
) -> None:
    sink.script[stage] = [step]

    with pytest.raises(MailError) as caught:
        sender.send(message(), always)
    assert type(caught.value) is kind
    assert caught.value.stage == stage
    if isinstance(step, str):
        assert step in caught.value.reply
    else:
        assert caught.value.reply
    before = len(sink.messages)
    assert sender.send(message("next@prospect.example"), always) == "250 2.0.0 kept"
    assert [each.recipient for each in sink.messages[before:]] == ["next@prospect.example"]


def test_the_connection_survives_a_refused_recipient(sink: SmtpSink, sender: SmtpSender) -> None:
    sink.script["rcpt"] = ["550 5.1.1 no such user"]

    with pytest.raises(MailRejected):
        sender.send(message(), always)
    sender.send(message(), always)
    assert sink.connections == 1
    assert sink.commands.count("RSET") == 1


def test_a_connection_that_breaks_in_the_content_is_before_the_dot(
    sink: SmtpSink, sender: SmtpSender
) -> None:
    sink.script["body"] = [RESET]
    body = b"Subject: large\r\n\r\n" + b"x" * 76 * 1024 * 200

    with pytest.raises(MailDeferred) as caught:
        sender.send(message(data=body), always)
    assert caught.value.stage == "data"
    assert sink.messages == []


def test_nobody_listening_is_an_outage() -> None:
    sender = SmtpSender(SmtpServer("127.0.0.1", free_port(), "none"), timeouts=QUICK)

    with pytest.raises(MailOutage, match="Connection refused") as caught:
        sender.send(message(), always)
    assert caught.value.stage == "connect"


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 64 + ".example", ".."])
def test_a_name_that_does_not_resolve_is_an_outage(host: str) -> None:
    with pytest.raises(MailOutage) as caught:
        SmtpSender(SmtpServer(host, 25, "none"), timeouts=QUICK).send(message(), always)
    assert caught.value.stage == "connect"


@pytest.mark.parametrize(
    ("stage", "kind"),
    [("banner", MailOutage), ("mail", MailOutage), ("rcpt", MailDeferred), ("dot", MailUncertain)],
)
def test_a_byte_at_a_time_does_not_hold_a_phase_open(
    sink: SmtpSink, sender: SmtpSender, stage: str, kind: type[MailError]
) -> None:
    sink.script[stage] = [Action(reply="250 " + "slow " * 50, byte_delay=0.05)]

    started = time.monotonic()
    with pytest.raises(kind, match="no answer in time"):
        sender.send(message(), always)
    assert time.monotonic() - started < 5


def test_a_reply_without_end_is_given_up(sink: SmtpSink, sender: SmtpSender) -> None:
    sink.script["mail"] = "\r\n".join(["250-more"] * 20_000)

    with pytest.raises(MailOutage, match="has no end"):
        sender.send(message(), always)


def test_a_server_that_knows_no_ehlo_is_greeted_with_helo(
    sink: SmtpSink, sender: SmtpSender
) -> None:
    sink.script["ehlo"] = "502 5.5.1 unknown"

    sender.send(message(), always)
    assert len(sink.messages) == 1


def test_the_lease_is_asked_for_after_the_content_and_before_the_dot(
    sink: SmtpSink, sender: SmtpSender
) -> None:
    seen: list[str] = []

    def may_finish() -> bool:
        seen.extend(sink.commands)
        return True

    sender.send(message(), may_finish)
    assert seen[-1] == "DATA"


def test_without_the_lease_the_exchange_is_broken_off(sink: SmtpSink, sender: SmtpSender) -> None:
    with pytest.raises(LeaseLost):
        sender.send(message(), lambda: False)
    wait_until(lambda: sink.open_connections == 0)
    sender.send(message("next@prospect.example"), always)

    assert [each.recipient for each in sink.messages] == ["next@prospect.example"]
    assert sink.connections == 2


def test_a_lease_check_that_fails_breaks_the_exchange_off(
    sink: SmtpSink, sender: SmtpSender
) -> None:
    def may_finish() -> bool:
        raise RuntimeError("the database is away")

    with pytest.raises(RuntimeError, match="the database is away"):
        sender.send(message(), may_finish)
    wait_until(lambda: sink.open_connections == 0)
    sender.send(message("next@prospect.example"), always)
    assert [each.recipient for each in sink.messages] == ["next@prospect.example"]


def test_a_server_with_smtputf8_takes_any_address(sink: SmtpSink, sender: SmtpSender) -> None:
    sender.send(message("用户@xn--r8jz45g.jp"), always)

    (received,) = sink.messages
    assert received.recipient == "用户@xn--r8jz45g.jp"
    assert received.smtputf8


def test_without_smtputf8_that_mail_is_rejected_and_others_are_not(
    sink: SmtpSink, sender: SmtpSender
) -> None:
    sink.smtputf8 = False

    with pytest.raises(MailRejected, match="SMTPUTF8"):
        sender.send(message("用户@xn--r8jz45g.jp"), always)
    sender.send(message(), always)
    assert len(sink.messages) == 1


@pytest.mark.parametrize("reply", ["555 5.5.4 unknown parameter", "550 5.6.7 not ASCII"])
def test_a_server_that_refuses_smtputf8_after_all_refuses_that_mail_alone(
    sink: SmtpSink, sender: SmtpSender, reply: str
) -> None:
    sink.script["mail"] = lambda line: reply if "SMTPUTF8" in line else None

    with pytest.raises(MailRejected):
        sender.send(message("用户@xn--r8jz45g.jp"), always)
    sender.send(message(), always)


def test_the_words_of_the_server_are_one_line_of_500_characters(
    sink: SmtpSink, sender: SmtpSender
) -> None:
    sink.script["rcpt"] = "550-5.1.1 \x1b[2J no\u202e\r\n550 " + "x" * 700

    with pytest.raises(MailRejected) as caught:
        sender.send(message(), always)
    assert len(caught.value.reply) == 500
    assert caught.value.reply.startswith("550 5.1.1 \ufffd[2J no\ufffd xxx")


def test_the_wait_that_a_server_asks_for_is_passed_on(sink: SmtpSink, sender: SmtpSender) -> None:
    sink.script["rcpt"] = "450 4.7.1 greylisted, try again in 5 minutes"

    with pytest.raises(MailDeferred) as caught:
        sender.send(message(), always)
    assert caught.value.retry_after == 300
