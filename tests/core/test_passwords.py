import unicodedata

import pytest

from notion_backend.core.errors import InvalidInput
from notion_backend.core.passwords import PasswordPolicy, prepare_password

POLICY = PasswordPolicy("Acme Legal")


def check(password: str) -> str:
    return POLICY.check(password, field="password", about=("alice", "alice@wonder.example"))


def refusal(password: str) -> str:
    with pytest.raises(InvalidInput) as refused:
        check(password)
    (error,) = refused.value.errors
    assert error.field == "password"
    return error.code


@pytest.mark.parametrize(
    "password",
    [
        "fifteen letters",
        "correct horse battery staple",
        "12 ducks in a row",
        "Ünïcödé wörds ärë fine",
        "🦆 and 🦊 and 🐻 and 🐨",
        "admin writes a letter",
        "x" * 64,
        "kX3$" * 50,
        "é" * 500,
    ],
)
def test_long_passwords_of_any_characters_are_accepted_as_they_are(password: str) -> None:
    assert check(password) == password


def test_a_password_is_normalised_once_so_that_every_keyboard_types_the_same() -> None:
    typed = unicodedata.normalize("NFD", "fünfzehn Zeichen sind genug")

    assert check(typed) == unicodedata.normalize("NFC", typed) == prepare_password(typed)


def test_length_is_counted_after_normalising() -> None:
    assert refusal(unicodedata.normalize("NFD", "é" * 14)) == "too_short"


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "too_short"),
        ("fourteen chars", "too_short"),
        ("x" * 1025, "too_long"),
        ("é" * 513, "too_long"),
        ("a" * 1_000_000, "too_long"),
        ("nul \x00 in a long password", "forbidden_character"),
        ("half \ud800 of a character", "forbidden_character"),
    ],
)
def test_what_is_too_short_too_long_or_no_text_is_refused(password: str, code: str) -> None:
    assert refusal(password) == code


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "Password1234567",
        "P@ssw0rdP@ssw0rd",
        "!!!welcome2026!!!",
        "iloveyou-iloveyou",
        "thequickbrownfox",
        "aaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "!?!?!?!?!?!?!?!?",
        "123456789012345",
        "987654321098765",
        "qwertyuiopasdfgh",
        "1q2w3e4r5t6y7u8i",
        "abcdefghijklmnop",
        "qwerty1234567890",
        "notion-backend-1",
        "NotionBackend2026",
        "notionnotionnotion",
        "acme legal 2026!",
        "alicealicealice",
        "alice@wonder.example",
        "wonder-alice-2026",
    ],
)
def test_what_is_tried_first_is_refused(password: str) -> None:
    assert refusal(password) == "too_common"


def test_what_belongs_to_another_person_or_place_is_accepted() -> None:
    assert PasswordPolicy("Brand").check("acme legal 2026!", field="p", about=("bob", "b@c.de"))


def test_nobody_has_a_password_that_cannot_be_set() -> None:
    assert prepare_password("x" * 1025) is None
    assert prepare_password("with\x00nul") is None
