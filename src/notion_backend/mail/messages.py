"""A mail becomes a message: its template filled in, as MIME, the same bytes at every attempt."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.utils import parseaddr
from pathlib import Path
from uuid import UUID

import idna

from notion_backend.core.enums import DeliveryKind
from notion_backend.core.languages import Language, known_language
from notion_backend.mail.mime import alternative, date_header, header
from notion_backend.mail.rendering import MailTemplates, MailUnrenderable

_LINE_LENGTH = 78
_DOMAIN = re.compile(r"[A-Za-z0-9.-]+")
_SPECIALS = str.maketrans(dict.fromkeys('()<>[]:;@\\,"', " "))


@dataclass(frozen=True, slots=True)
class Mail:
    """What a delivery row asks for. `id` and `created_at` never change between attempts."""

    id: UUID
    kind: DeliveryKind
    recipient: str
    created_at: datetime
    context: Mapping[str, str]
    """What the template of this kind shows; `docs/delivery.md` lists the names."""


@dataclass(frozen=True, slots=True)
class Message:
    """What a sender takes: the envelope (RFC 5321) and the complete message (RFC 5322)."""

    id: UUID
    kind: DeliveryKind
    created_at: datetime
    sender: str
    recipient: str
    """Its domain is an A-label (RFC 5890 §2.3.2.1)."""
    data: bytes
    """Lines end in CRLF; the body is ASCII, and so is the header unless `needs_smtputf8`."""
    needs_smtputf8: bool


class Composer:
    """Fills templates in. `mail_from` and `reply_to` are written `Name <a@b.example>` or bare.

    Files under `templates_dir`/mail replace single templates of the package. A mail that names no
    `language` of ours in its context is written in `default_language`.

    Raises:
        MailUnrenderable: `mail_from` or `reply_to` cannot be used.
    """

    def __init__(
        self,
        mail_from: str,
        reply_to: str,
        brand_name: str,
        templates_dir: Path | None,
        default_language: Language = Language.ENGLISH,
    ) -> None:
        self._sender = _mailbox(*parseaddr(mail_from))
        self._reply_to = _mailbox(*parseaddr(reply_to)) if reply_to else None
        self._templates = MailTemplates(brand_name, templates_dir)
        self._default_language = default_language

    def compose(self, mail: Mail) -> Message:
        """Return the message for `mail`: for the same mail the same bytes.

        Raises:
            MailUnrenderable: the template fails, or the recipient cannot be addressed.
        """
        language = known_language(mail.context.get("language")) or self._default_language
        texts = self._templates.render(mail.kind, mail.context, language)
        recipient = _mailbox("", mail.recipient)
        reply_to = self._reply_address(mail)
        addresses = [self._sender, recipient, *([reply_to] if reply_to else [])]
        needs_smtputf8 = not all(map(_is_ascii, addresses))
        try:
            data = alternative(
                self._headers(
                    mail, recipient, reply_to, texts.subject, language, utf8=needs_smtputf8
                ),
                {"plain": texts.text, "html": texts.html},
                boundary=f"=_{mail.id.hex}",
            )
        except UnicodeError as error:
            raise MailUnrenderable(f"{mail.kind}: a text cannot be encoded") from error
        return Message(
            id=mail.id,
            kind=mail.kind,
            created_at=mail.created_at,
            sender=self._sender.addr_spec,
            recipient=recipient.addr_spec,
            data=data,
            needs_smtputf8=needs_smtputf8,
        )

    def _headers(
        self,
        mail: Mail,
        recipient: Address,
        reply_to: Address | None,
        subject: str,
        language: Language,
        *,
        utf8: bool,
    ) -> str:
        return "".join(
            (
                header("From", str(self._sender), utf8=utf8),
                f"To: {recipient.addr_spec}\r\n",
                header("Reply-To", str(reply_to), utf8=utf8) if reply_to else "",
                header("Subject", _header_text(subject), utf8=utf8),
                f"Content-Language: {language}\r\n",  # RFC 3282
                date_header(mail.created_at),
                f"Message-ID: <{mail.id}@{self._sender.domain}>\r\n",
                # RFC 3834 §5: no vacation notice may answer; the second one says so to Exchange.
                "Auto-Submitted: auto-generated\r\n",
                "X-Auto-Response-Suppress: All\r\n",
            )
        )

    def _reply_address(self, mail: Mail) -> Address | None:
        """Staff answer the prospect, everyone else the firm."""
        if mail.kind is not DeliveryKind.STAFF_NOTIFICATION:
            return self._reply_to
        try:
            name = f"{mail.context['first_name']} {mail.context['last_name']}"
            address = _mailbox(name, mail.context["email"])
        except KeyError as error:
            raise MailUnrenderable(f"{mail.kind}: its context lacks {error}") from error
        # One address that is not ASCII would demand SMTPUTF8 of the way to staff (RFC 6531 §3.4);
        # they find it in the body.
        return address if _is_ascii(address) else None


def _mailbox(name: str, address: str) -> Address:
    local, _, domain = address.rpartition("@")
    try:
        domain = domain if domain.isascii() else idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise MailUnrenderable("an address has a domain that does not exist in IDNA") from error
    if not _DOMAIN.fullmatch(domain) or not local or _has_unprintable(local):
        raise MailUnrenderable("an address cannot be written into an envelope")
    return Address(_display_name(name, f"{local}@{domain}"), local, domain)


def _display_name(name: str, address: str) -> str:
    """Return `name` such that it stays a name.

    Python before 3.13 drops the quotes of a name that it has to fold (gh-121284): then a comma in
    it would begin another address, of the prospect's choice. So what needs quotes goes, unless the
    line is short.
    """
    name = _header_text(name)
    if name.isascii() and len(f'Reply-To: "{name}" <{address}>') <= _LINE_LENGTH:
        return name
    return " ".join(name.translate(_SPECIALS).split())


def _header_text(text: str) -> str:
    """Return `text` as one line without control characters or ready-made encoded words.

    Unbroken, "=?" of a name would be decoded as RFC 2047 says, and so show something else.
    """
    line = " ".join(text.split())
    line = "".join(char for char in line if unicodedata.category(char) != "Cc")
    return line.replace("=?", "= ?")


def _has_unprintable(text: str) -> bool:
    return any(unicodedata.category(char)[0] in "CZ" for char in text)


def _is_ascii(address: Address) -> bool:
    return address.username.isascii()
