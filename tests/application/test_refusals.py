import pytest

from notion_backend.application.fields.refusals import Refusals
from notion_backend.core.errors import FieldError, InvalidInput

NAME = FieldError("first_name", "required", "Fill in the first name.")
RESUME = FieldError("resume", "resume_type", "Send another file.")


def test_nothing_gathered_raises_nothing() -> None:
    refusals = Refusals()
    with refusals.gathering():
        pass
    refusals.raise_any()


def test_a_single_refusal_is_raised_as_it_was() -> None:
    refusals = Refusals()
    with refusals.gathering():
        raise InvalidInput("Send another file.", code="resume_type", errors=(RESUME,))
    with pytest.raises(InvalidInput) as raised:
        refusals.raise_any()
    assert raised.value.reason == "resume_type"


def test_several_refusals_become_one_that_names_every_field() -> None:
    refusals = Refusals()
    with refusals.gathering():
        raise InvalidInput.of(NAME)
    with refusals.gathering():
        raise InvalidInput("Send another file.", code="resume_type", errors=(RESUME,))
    with pytest.raises(InvalidInput) as raised:
        refusals.raise_any()
    assert raised.value.reason == "validation"
    assert raised.value.errors == (NAME, RESUME)


def test_another_error_is_not_gathered() -> None:
    with pytest.raises(ZeroDivisionError), Refusals().gathering():
        raise ZeroDivisionError
