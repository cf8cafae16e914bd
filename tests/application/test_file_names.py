import pytest
from hypothesis import given
from hypothesis import strategies as st

from notion_backend.application.fields.personal_fields import (
    clean_filename,
)
from notion_backend.core.errors import InvalidInput
from tests.application.refused_fields import refused_filename


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("resume.pdf", "resume.pdf"),
        ("../../etc/cron.d/x", "x"),
        ("..\\..\\x", "x"),
        ("/abs", "abs"),
        ("C:\\x", "x"),
        ("C:x.pdf", "x.pdf"),
        ("C:\\fake/path\\D:x.pdf", "x.pdf"),
        ("resume\u202efdp.exe", "resumefdp.exe"),
        ("\u202aC:\\Ada\\cv.pdf", "cv.pdf"),
        ("cv\u200b.pdf", "cv.pdf"),
        ('"><img src=x onerror=alert(1)>.pdf', '"><img src=x onerror=alert(1)>.pdf'),
        ('a"b;c.pdf', 'a"b;c.pdf'),
        (" Le\u0301benslauf 履歴書.pdf ", "Lébenslauf 履歴書.pdf"),
        ("a" * 251 + ".pdf", "a" * 251 + ".pdf"),
        ("folder/" * 1000 + "cv.pdf", "cv.pdf"),
        ("...pdf", "...pdf"),
    ],
)
def test_a_file_name_is_its_last_part_without_what_turns_it(raw: str, name: str) -> None:
    assert clean_filename(raw) == name


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", "invalid_filename"),
        (".", "invalid_filename"),
        ("..", "invalid_filename"),
        ("folder/", "invalid_filename"),
        ("folder\\..", "invalid_filename"),
        ("C:", "invalid_filename"),
        ("\u202e", "invalid_filename"),
        ("  ", "invalid_filename"),
        ("a\r\nb.pdf", "forbidden_character"),
        ("a\x00.pdf", "forbidden_character"),
        ("a\x00/b.pdf", "forbidden_character"),
        ("a\udcff.pdf", "forbidden_character"),
        ("a\u2028.pdf", "forbidden_character"),
        ("a" * 252 + ".pdf", "too_long"),
        ("a" * 5_000 + ".pdf", "too_long"),
    ],
)
def test_a_file_name_that_is_none_is_refused(raw: str, code: str) -> None:
    assert refused_filename(raw) == code


@given(st.text(st.characters(codec=None), max_size=300))
def test_any_text_is_a_clean_file_name_or_refused(raw: str) -> None:
    try:
        clean = clean_filename(raw)
    except InvalidInput:
        return
    assert clean_filename(clean) == clean
    assert clean.encode().decode() == clean
    assert not set(clean) & set("/\\\r\n\x00\u202e")
