import string
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_backend.core.enums import DeliveryKind
from notion_backend.core.languages import Language
from notion_backend.mail.messages import Composer, Message
from notion_backend.mail.rendering import MailUnrenderable
from tests.mail.samples import CREATED_AT, MAIL_ID, composer, mail

STAFF = DeliveryKind.STAFF_NOTIFICATION
HOSTILE_NAMES = [
    "<script>alert(1)</script>",
    '<input value=<><iframe/src=javascript:confirm(2)">',
    "{{7*7}}",
    "{% import os %}",
    "${7*7}",
    "%s%n{0.__class__}",
    "=cmd|' /C calc'!G2",
    "http://evil.example/path",
    "O'Brien",
    "Foo, evil@evil.example, Bar " + "long " * 30,
    'Anna "Bob" <evil@evil.example>',
    "=?utf-8?q?Bcc=3A_evil=40evil=2Eexample?=",
    "مرحبا بالعالم",
    "山田 太郎",
    "👩‍🚀" * 60,
    "x" * 255,
    "y " * 127,
    "é" * 255,
    ".",
    "\u0301" * 5 + "e",
]
COMPOSER = composer()
NAMES = st.text(
    st.one_of(
        st.sampled_from(string.punctuation + " abc"),
        st.characters(exclude_categories=["C", "Zl", "Zp"]),
    ),
    min_size=1,
    max_size=255,
).filter(str.strip)


def parse(message: Message) -> EmailMessage:
    return message_from_bytes(message.data, policy=policy.default)


def part(message: Message, subtype: str) -> str:
    body = parse(message).get_body((subtype,))
    assert body is not None
    content: str = body.get_content()
    return content


@pytest.mark.parametrize("kind", list(DeliveryKind))
def test_every_kind_has_a_text_and_an_html_part_and_says_that_a_machine_wrote_it(
    kind: DeliveryKind,
) -> None:
    message = COMPOSER.compose(mail(kind))
    parsed = parse(message)

    assert parsed.get_content_type() == "multipart/alternative"
    assert [each.get_content_type() for each in parsed.iter_parts()] == ["text/plain", "text/html"]
    assert parsed["Message-ID"] == f"<{MAIL_ID}@firm.example>"
    assert parsed["Date"].datetime == CREATED_AT
    assert parsed["From"] == "Firm <no-reply@firm.example>"
    assert parsed["To"] == "ada@prospect.example"
    assert parsed["Auto-Submitted"] == "auto-generated"
    assert parsed["X-Auto-Response-Suppress"] == "All"
    assert parsed["Subject"].strip()
    assert not parsed.defects
    assert (message.sender, message.recipient) == ("no-reply@firm.example", "ada@prospect.example")
    assert not message.needs_smtputf8


@pytest.mark.parametrize("kind", list(DeliveryKind))
def test_lines_are_short_ascii_and_end_in_crlf(kind: DeliveryKind) -> None:
    data = COMPOSER.compose(mail(kind)).data

    assert data.isascii()
    assert data.replace(b"\r\n", b"").count(b"\n") == data.replace(b"\r\n", b"").count(b"\r") == 0
    assert max(map(len, data.split(b"\r\n"))) <= 100


@pytest.mark.parametrize("kind", list(DeliveryKind))
def test_the_same_mail_gives_the_same_bytes_from_any_composer(kind: DeliveryKind) -> None:
    assert COMPOSER.compose(mail(kind)).data == composer().compose(mail(kind)).data


def test_another_mail_has_another_name_and_boundary() -> None:
    first = mail()
    second = type(first)(
        UUID(int=1), first.kind, first.recipient, CREATED_AT + timedelta(1), first.context
    )
    one, other = parse(COMPOSER.compose(first)), parse(COMPOSER.compose(second))

    assert one["Message-ID"] != other["Message-ID"]
    assert one.get_boundary() != other.get_boundary()
    assert one["Date"] != other["Date"]


def test_the_prospect_learns_the_reference_and_answers_the_firm() -> None:
    message = COMPOSER.compose(mail())

    assert parse(message)["Reply-To"] == "office@firm.example"
    for subtype in ("plain", "html"):
        assert "7Q2M4T8XK0W3" in part(message, subtype)
        assert "Ada Lovelace" in part(message, subtype)
        assert "The Firm" in part(message, subtype)


def test_without_a_reply_address_there_is_no_reply_to() -> None:
    assert parse(composer(reply_to="").compose(mail()))["Reply-To"] is None


def test_staff_get_the_link_and_answer_the_prospect() -> None:
    message = COMPOSER.compose(mail(STAFF, "staff@firm.example", flags="It came within a second."))

    (address,) = parse(message)["Reply-To"].addresses
    assert (address.display_name, address.addr_spec) == ("Ada Lovelace", "ada@prospect.example")
    assert parse(message)["Subject"] == "New lead: Ada Lovelace"
    for subtype in ("plain", "html"):
        shown = part(message, subtype)
        assert "https://leads.firm.example/console/leads/17" in shown
        assert "ada@prospect.example" in shown
        assert "ada.pdf" in shown
        assert "It came within a second." in shown


def test_what_is_empty_has_no_line_of_its_own() -> None:
    message = COMPOSER.compose(mail(STAFF, resume_filename="", flags=""))

    for subtype in ("plain", "html"):
        assert "note:" not in part(message, subtype)
        assert "Résumé" not in part(message, subtype)


@pytest.mark.parametrize("kind", [DeliveryKind.INVITATION, DeliveryKind.PASSWORD_RESET])
def test_a_link_comes_whole_with_the_end_of_its_time(kind: DeliveryKind) -> None:
    sent = mail(kind)
    message = COMPOSER.compose(sent)

    assert sent.context["link"] in part(message, "plain")
    assert f'href="{sent.context["link"].replace("&", "&amp;")}"' in part(message, "html")
    for subtype in ("plain", "html"):
        assert sent.context["expires_at"] in part(message, subtype)
        assert "grace" in part(message, subtype)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_is_shown_as_it_is_and_does_nothing(name: str) -> None:
    message = COMPOSER.compose(mail(STAFF, first_name=name, last_name="X"))
    parsed = parse(message)
    html = part(message, "html")

    assert f"{name} X" in part(message, "plain")
    assert (name in html) == (not set(name) & set("<>&"))
    assert "<script" not in html
    assert "<iframe" not in html
    assert html.count("href=") == 1
    assert [each.addr_spec for each in parsed["Reply-To"].addresses] == ["ada@prospect.example"]
    assert set(parsed.keys()) == set(parse(COMPOSER.compose(mail(STAFF))).keys())
    assert max(map(len, message.data.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("name", [name for name in HOSTILE_NAMES if "=?" not in name])
def test_a_subject_shows_the_name_in_any_script(name: str) -> None:
    subject = parse(COMPOSER.compose(mail(STAFF, first_name=name, last_name="X")))["Subject"]

    assert "".join(subject.split()) == "".join(f"New lead: {name} X".split())


@given(name=NAMES)
def test_no_name_makes_another_address_or_header(name: str) -> None:
    message = COMPOSER.compose(mail(STAFF, first_name=name, last_name="Lovelace"))
    parsed = parse(message)

    assert [each.addr_spec for each in parsed["Reply-To"].addresses] == ["ada@prospect.example"]
    assert parsed["Message-ID"] == f"<{MAIL_ID}@firm.example>"
    assert len(parsed.keys()) == 11
    assert parsed["Subject"].startswith("New lead:")
    assert name in part(message, "plain")


def test_a_line_break_in_a_value_stays_out_of_the_header() -> None:
    message = COMPOSER.compose(mail(STAFF, first_name="Ada\r\nBcc:\revil@evil.example\x00"))

    assert b"\r" not in message.data.replace(b"\r\n", b"")
    assert parse(message)["Bcc"] is None
    assert parse(message)["Subject"] == "New lead: Ada Bcc: evil@evil.example Lovelace"


def test_a_domain_goes_out_as_its_a_label() -> None:
    message = COMPOSER.compose(mail(recipient="ada@例え.jp"))

    assert message.recipient == "ada@xn--r8jz45g.jp"
    assert parse(message)["To"] == "ada@xn--r8jz45g.jp"
    assert not message.needs_smtputf8


def test_a_recipient_beyond_ascii_needs_smtputf8() -> None:
    message = COMPOSER.compose(mail(recipient="用户@例え.jp"))

    assert message.recipient == "用户@xn--r8jz45g.jp"
    assert message.needs_smtputf8
    assert "To: 用户@xn--r8jz45g.jp\r\n".encode() in message.data


def test_a_prospect_beyond_ascii_does_not_demand_smtputf8_of_the_mail_to_staff() -> None:
    message = COMPOSER.compose(mail(STAFF, "staff@firm.example", email="用户@例え.jp"))

    assert not message.needs_smtputf8
    assert parse(message)["Reply-To"] is None
    assert "用户@例え.jp" in part(message, "plain")


def test_the_longest_addresses_stay_whole() -> None:
    address = f"{'a' * 64}@{'b' * 60}.{'c' * 60}.{'d' * 60}.example"
    message = composer(mail_from=f"Firm <{address}>").compose(mail(STAFF, address, email=address))
    parsed = parse(message)

    for name in ("From", "To", "Reply-To"):
        assert [each.addr_spec for each in parsed[name].addresses] == [address]
    assert parsed["Message-ID"] == f"<{MAIL_ID}@{address.partition('@')[2]}>"


def test_the_firm_keeps_the_comma_in_its_name() -> None:
    parsed = parse(composer(mail_from='"Firm, Inc." <a@firm.example>').compose(mail()))

    assert [each.display_name for each in parsed["From"].addresses] == ["Firm, Inc."]


@pytest.mark.parametrize(
    "recipient", ["a@b.example> SIZE=1", "a@b\r\nRCPT TO:<x@y>", "a b@c.example", "no address", ""]
)
def test_an_address_that_would_break_the_envelope_is_refused(recipient: str) -> None:
    with pytest.raises(MailUnrenderable):
        COMPOSER.compose(mail(recipient=recipient))


def override(folder: Path, name: str, text: str) -> Composer:
    file = folder / "mail" / name
    file.parent.mkdir(parents=True)
    file.write_text(text, encoding="utf-8")
    return composer(templates_dir=folder)


def test_a_file_of_the_operator_replaces_one_template_only(tmp_path: Path) -> None:
    firm = override(
        tmp_path, "prospect_confirmation/subject.txt", "Hi {{ first_name }}: {{ brand }}"
    )

    message = firm.compose(mail())
    assert parse(message)["Subject"] == "Hi Ada: The Firm"
    assert part(message, "plain") == part(COMPOSER.compose(mail()), "plain")


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ nobody }}", "template prospect_confirmation/body.txt: 'nobody' is undefined"),
        ("{% if %}", "template prospect_confirmation/body.txt: Expected an expression"),
        ("{{ first_name / 0 }}", "template prospect_confirmation/body.txt: TypeError"),
        ("\udcff", "prospect_confirmation/body.txt: UnicodeDecodeError"),
    ],
)
def test_a_template_that_fails_names_itself_and_leaves_the_other_kinds_alone(
    tmp_path: Path, template: str, reason: str
) -> None:
    firm = override(tmp_path, "prospect_confirmation/body.txt", "")
    broken = tmp_path / "mail/prospect_confirmation/body.txt"
    broken.write_bytes(template.encode("utf-8", "surrogateescape"))

    for _ in range(2):
        with pytest.raises(MailUnrenderable, match=reason) as caught:
            firm.compose(mail())
        assert "\n" not in str(caught.value)
        assert "Ada" not in str(caught.value)
    assert firm.compose(mail(STAFF)).data == COMPOSER.compose(mail(STAFF)).data


def test_half_a_surrogate_pair_is_unrenderable_and_not_a_crash() -> None:
    with pytest.raises(MailUnrenderable):
        COMPOSER.compose(mail(first_name="\ud800"))


def test_two_words_too_long_to_fold_leave_no_blank_line_among_the_headers() -> None:
    message = composer().compose(mail(STAFF, first_name="x" * 255, last_name="y" * 255))

    head, _, _ = message.data.partition(b"\r\n\r\n")

    assert b"Content-Type: multipart/alternative" in head
    assert all(line.strip() for line in head.split(b"\r\n"))
    assert "y" * 255 in parse(message)["Reply-To"]


def test_a_mail_speaks_the_language_it_names_or_the_firms() -> None:
    for language, default, subject in (
        ("de", Language.ENGLISH, "Danke für Ihre Nachricht"),
        ("en", Language.GERMAN, "Thank you for contacting"),
        ("", Language.GERMAN, "Danke für Ihre Nachricht"),
        ("xx", Language.ENGLISH, "Thank you for contacting"),
    ):
        message = composer(default_language=default).compose(mail(language=language))
        said = parse(message)
        assert said["Subject"].startswith(subject)
        assert said["Content-Language"] in {"de", "en"}
        assert f'lang="{said["Content-Language"]}"' in part(message, "html")
