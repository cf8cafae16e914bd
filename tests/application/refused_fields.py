from collections.abc import Callable

import pytest

from notion_backend.application.fields.personal_fields import (
    clean_email,
    clean_filename,
    clean_name,
)
from notion_backend.core.errors import InvalidInput


def code_of(check: Callable[[], object]) -> str:
    with pytest.raises(InvalidInput) as refusal:
        check()
    (error,) = refusal.value.errors
    assert error.message
    return error.code


def refused_name(raw: str) -> str:
    return code_of(lambda: clean_name("first_name", raw))


def refused_email(raw: str) -> str:
    return code_of(lambda: clean_email("email", raw))


def refused_filename(raw: str) -> str:
    return code_of(lambda: clean_filename(raw))
