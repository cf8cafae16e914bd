"""The rules for what a person tells of themselves: names, e-mail address, file name.

Each function returns the clean value or raises InvalidInput with one FieldError. The codes are
`required`, `too_long`, `forbidden_character`, `invalid_email` and `invalid_filename`. The public
form, corrections by staff and the import of a file all come through here.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache

import email_validator

from notion_backend.application.fields.refusals import Refusals
from notion_backend.application.fields.visible_text import (
    hides_or_turns,
    holds_control,
    is_blank,
    without_hiding,
)
from notion_backend.core.errors import FieldError, InvalidInput
from notion_backend.core.sentences import Sentence, say

LONGEST_NAME = 255
"""Code points after NFC."""
LONGEST_EMAIL = 254
"""Octets, in UTF-8 and with the domain as A-label (RFC 5321 §4.5.3.1.3, erratum 1690)."""
LONGEST_LOCAL_PART = 64
"""Octets (RFC 5321 §4.5.3.1.1)."""
LONGEST_FILENAME = 255
"""Code points after NFC."""

_MOST_SHRINKING = 4
"""No character stands for more than four code points before NFC (Unicode, UAX #15 table 6)."""

# What most people have, and nothing in it to normalise but the case of the domain. Some local parts
# are not case-sensitive (RFC 2142), so those with capitals are left to the library.
_PLAIN_LOCAL_PART = re.compile(r"[a-z0-9_+-]{1,20}(?:\.[a-z0-9_+-]{1,20}){0,2}")
_PLAIN_DOMAIN = re.compile(r"(?:(?![Xx][Nn]--)[A-Za-z0-9-]{1,60}\.){1,3}[A-Za-z]{2,20}")

_LABELS = {
    "first_name": say("first name"),
    "last_name": say("last name"),
    "email": say("e-mail address"),
    "resume": say("file name"),
}

_FOLDERS = re.compile(r"\A(?:.*[/\\])?(?:[A-Za-z]:)?", re.DOTALL)

# A name for documentation, tests or a firm's own network is still an address (RFC 6761 §6); what
# cannot be delivered is seen when it is sent, and the lead is kept.
email_validator.SPECIAL_USE_DOMAIN_NAMES = [
    domain
    for domain in email_validator.SPECIAL_USE_DOMAIN_NAMES
    if domain not in {"invalid", "local", "test"}
]


def clean_person(given: Mapping[str, str | None]) -> dict[str, str]:
    """Clean those of `first_name`, `last_name` and `email` that are given; None is left empty.

    Raises:
        InvalidInput: with a FieldError for each wrong field, not only the first.
    """
    refusals = Refusals()
    clean = {}
    for field, raw in given.items():
        clean_field = clean_email if field == "email" else clean_name
        with refusals.gathering():
            clean[field] = clean_field(field, raw or "")
    refusals.raise_any()
    return clean


def clean_name(field: str, raw: str) -> str:
    """Return `raw` in NFC without surrounding space: 1 to 255 characters that all can be seen.

    Control characters are looked for before trimming, which would remove a TAB at the start.

    Raises:
        InvalidInput: `required`, `too_long` or `forbidden_character`.
    """
    text = _composed(field, raw, LONGEST_NAME)
    if not text:
        raise _refusal(field, "required", say("Fill in the {label}.", label=_label(field)))
    if hides_or_turns(text):
        raise _forbidden(field)
    if is_blank(text):
        raise _refusal(field, "required", say("Fill in the {label}.", label=_label(field)))
    return text


def clean_email(field: str, raw: str) -> str:
    """Return one address, normalised: local part in NFC, domain lower-case and in Unicode.

    Internationalised addresses are accepted (RFC 6531); quoted local parts, address literals,
    display names and domains without a dot are not. Nothing is looked up.

    Raises:
        InvalidInput: `required`, `too_long` or `invalid_email`.
    """
    address = raw.strip(" ")
    if not address:
        raise _refusal(field, "required", say("Fill in the {label}.", label=_label(field)))
    if len(address) > LONGEST_EMAIL:
        raise _too_long(field, LONGEST_EMAIL)
    if holds_control(address) or hides_or_turns(address):
        raise _invalid_email(field)
    if len(address.encode()) > LONGEST_EMAIL:
        raise _too_long(field, LONGEST_EMAIL)
    normalized = _normalized(address)
    if normalized is None:
        raise _invalid_email(field)
    return normalized


def clean_filename(raw: str, field: str = "resume") -> str:
    r"""Return the last part of a file's name or path, in NFC, without what hides or turns it.

    `/` and `\` both part a path, whatever the system it came from (CVE-2026-24486).

    Raises:
        InvalidInput: `invalid_filename`, `too_long` or `forbidden_character`.
    """
    if holds_control(raw):
        raise _forbidden(field)
    name = _composed(field, _FOLDERS.sub("", without_hiding(raw)), LONGEST_FILENAME)
    if not name.strip(".") or is_blank(name):
        raise _refusal(
            field, "invalid_filename", "Give the file an ordinary name such as resume.pdf."
        )
    return name


def _normalized(address: str) -> str | None:
    """Return the address as it is kept, None if it is none.

    Looking at a domain takes most of the time, and many people share one.
    """
    local_part, _, domain = address.rpartition("@")
    if _PLAIN_LOCAL_PART.fullmatch(local_part) and _PLAIN_DOMAIN.fullmatch(domain):
        clean_domain = _normalized_domain(domain)
        return f"{local_part}@{clean_domain}" if clean_domain else None
    found = _validated(address)
    if found is None or len(found.local_part.encode()) > LONGEST_LOCAL_PART:
        return None
    return found.normalized


@lru_cache(maxsize=1024)
def _normalized_domain(domain: str) -> str | None:
    found = _validated(f"somebody@{domain}")
    return found.domain if found else None


def _validated(address: str) -> email_validator.ValidatedEmail | None:
    try:
        return email_validator.validate_email(
            address,
            allow_smtputf8=True,
            allow_quoted_local=False,
            allow_domain_literal=False,
            allow_display_name=False,
            check_deliverability=False,
            test_environment=False,
        )
    except email_validator.EmailNotValidError:
        return None


def _composed(field: str, raw: str, longest: int) -> str:
    # Normalising a long run of combining marks takes quadratic time: length comes first.
    if len(raw.strip()) > longest * _MOST_SHRINKING:
        raise _too_long(field, longest)
    if holds_control(raw):
        raise _forbidden(field)
    text = unicodedata.normalize("NFC", raw.strip())
    if len(text) > longest:
        raise _too_long(field, longest)
    return text


def _too_long(field: str, longest: int) -> InvalidInput:
    return _refusal(
        field,
        "too_long",
        say(
            "Shorten the {label} to {longest} characters or fewer.",
            label=_label(field),
            longest=longest,
        ),
    )


def _forbidden(field: str) -> InvalidInput:
    return _refusal(
        field,
        "forbidden_character",
        say(
            "Type the {label} anew: it holds a character that cannot be seen.",
            label=_label(field),
        ),
    )


def _invalid_email(field: str) -> InvalidInput:
    return _refusal(field, "invalid_email", "Write one e-mail address, such as name@example.com.")


def _refusal(field: str, code: str, message: str) -> InvalidInput:
    return InvalidInput.of(FieldError(field, code, message))


def _label(field: str) -> Sentence:
    return _LABELS.get(field) or say(field.replace("_", " "))
