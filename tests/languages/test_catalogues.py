"""The catalogues are complete, and hold what code and templates say now."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from notion_backend.core.languages import Language
from tests.languages.catalogues import (
    PACKAGE,
    TRANSLATED,
    catalogue,
    files_of,
    found_messages,
    up_to_date,
)

_PLACEHOLDERS = re.compile(r"%\(\w+\)s|\{\w*\}|</?[a-z]+[^>]*>")
_TAGS = re.compile(r"\{#.*?#\}|\{%-?\s*trans\b.*?endtrans\s*-?%\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_SEEN_ATTRIBUTES = re.compile(r'\s(?:aria-label|title|alt|placeholder)="([^"]*[A-Za-z][^"]*)"')
_SENTENCE = re.compile(r"[A-Z][^\n]* [^\n]*[.!?]")
_WORD = re.compile(r"[A-Za-z]{2,}")
TEMPLATES = [
    path
    for folder in ("presentation/pages/templates", "mail/templates")
    for path in sorted((PACKAGE / folder).rglob("*"))
    if path.suffix in {".html", ".txt"} and "api" not in path.parts
]
NOT_FOR_PAGES = {
    "application/accounts/first_administrator.py": "said at the terminal",
    "application/assembly.py": "said at the terminal",
    "application/leads/import_rows.py": "said at the terminal",
    "application/delivery/deliveries.py": "said by the API, which names the statuses",
    "presentation/form_parser.py": "no browser sends it",
    "presentation/urlencoded_form.py": "no browser sends it",
    "presentation/pages/rendering.py": "said at the terminal",
}
"""Files where a sentence is put together from pieces, and why it need not be said in German."""


NOT_ON_PAGES = {
    "application/health.py": "said to load balancers",
    "core/config.py": "said at the terminal",
    "data/migrate.py": "said at the terminal",
    "data/search_index.py": "said in the log",
    "presentation/authentication.py": "said by the API's description",
    "presentation/metrics.py": "said to Prometheus",
    "presentation/middleware/client_address.py": "said in the log",
    "presentation/problem.py": "said by the API's description",
    "presentation/validation_errors.py": "said by the API",
}


@pytest.mark.parametrize("language", TRANSLATED)
def test_the_files_hold_the_sentences_of_today(language: Language) -> None:
    for path, wanted in files_of(language, up_to_date(language)).items():
        assert path.read_bytes() == wanted, f"run ./scripts/messages: {path.name} is stale"


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_sentence_is_translated(language: Language) -> None:
    missing = [each.id for each in catalogue(language) if each.id and not _is_said(each)]
    assert missing == []


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_translation_fills_in_the_same_values(language: Language) -> None:
    for message in catalogue(language):
        if message.id:
            originals = [message.id] if isinstance(message.id, str) else message.id
            said = [message.string] if isinstance(message.string, str) else message.string
            for original, translation in zip(originals, said, strict=True):
                assert _placeholders(original) == _placeholders(translation), original


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_says_nothing_that_no_catalogue_holds(path: Path) -> None:
    source = re.sub(r"<style>.*?</style>", "", path.read_text("utf-8"), flags=re.DOTALL)
    bare = _TAGS.sub("", source)
    seen = _SEEN_ATTRIBUTES.findall(bare)
    text = re.sub(r"<[^>]*>", " ", bare)
    assert [word for word in _WORD.findall(text) if word not in {"UTC", "narrow"}] + seen == []


def test_a_sentence_with_values_remembers_them() -> None:
    """What an f-string puts together no catalogue can hold; `say` does it instead."""
    found = sorted({place for place in _sentences_in_pieces() if place not in NOT_FOR_PAGES})
    assert found == []


def test_a_sentence_in_the_code_is_found_however_it_is_raised() -> None:
    known = {one for each in found_messages() for one in _originals(each)}
    missed = {
        (place, sentence)
        for place, sentence in _sentences()
        if place not in NOT_ON_PAGES
        and not place.startswith("presentation/api/")
        and sentence not in known
    }
    assert missed == set(), "wrap it in say(…)"


def _originals(message: Message) -> tuple[str, ...]:
    return (message.id,) if isinstance(message.id, str) else tuple(message.id)


def _is_said(message: Message) -> bool:
    strings = [message.string] if isinstance(message.string, str) else list(message.string)
    return all(strings) and not message.fuzzy


def _placeholders(text: str) -> list[str]:
    return sorted(_PLACEHOLDERS.findall(text))


def _sentences_in_pieces() -> Iterator[str]:
    for folder in ("application", "core", "presentation"):
        for path in (PACKAGE / folder).rglob("*.py"):
            place = path.relative_to(PACKAGE).as_posix()
            if place.startswith("presentation/api/"):
                continue
            for call in ast.walk(ast.parse(path.read_text("utf-8"))):
                is_error = isinstance(call, ast.Call) and _name(call.func) in _ERRORS
                if is_error and any(isinstance(one, ast.JoinedStr) for one in call.args):
                    yield place


def _sentences() -> Iterator[tuple[str, str]]:
    """Yield what looks like a sentence and is no docstring."""
    for folder in ("application", "core", "data", "mail", "presentation"):
        for path in (PACKAGE / folder).rglob("*.py"):
            place = path.relative_to(PACKAGE).as_posix()
            tree = ast.parse(path.read_text("utf-8"))
            docstrings = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
            for one in ast.walk(tree):
                text = one.value if isinstance(one, ast.Constant) else None
                if (
                    isinstance(text, str)
                    and id(one) not in docstrings
                    and _SENTENCE.fullmatch(text)
                ):
                    yield place, text


_ERRORS = {
    "FieldError", "InvalidInput", "NotFound", "Conflict", "TooLarge", "Unavailable", "RateLimited",
    "PermissionDenied", "NotAuthenticated", "MalformedRequest", "ChangedMeanwhile", "_refusal",
    "Flag", "say",
}  # fmt: skip


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else ""
