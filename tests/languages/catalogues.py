"""Brings the catalogues up to date with the sentences in code and templates; `scripts/messages`.

Sentences are found by the calls that hold them, so nothing has to be marked twice: `_("…")` in
templates, `say("…")` in code, and the errors and flags whose words reach a page.
"""

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages import mofile, pofile
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file

from notion_backend.core import errors
from notion_backend.core.errors import BusinessError
from notion_backend.core.languages import Language
from notion_backend.presentation import errors as http_errors

PACKAGE = Path(__file__).parents[2] / "src" / "notion_backend"
LOCALES = PACKAGE / "core" / "locales"
TRANSLATED = tuple(one for one in Language if one is not Language.ENGLISH)
# What is said to machines or at the terminal stays English.
_FOLDERS = ("application", "core", "data", "mail", "presentation")
_ENGLISH_ONLY = (
    "presentation/api/",
    "presentation/early_refusal.py",
    "core/config.py",
    "data/migrat",
    "data/search_index.py",
)
# Where the sentence stands among the arguments.
_CALLS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "say": None,
    "Flag": (2,),
    "FieldError": (3,),
    "_refusal": (3,),
    "_refused": (2,),
    "_wrong_reason": (2,),
    "wrong_type": (1,),
    "number_in_address": (2,),
}
_NO_TIME = datetime(2026, 1, 1, tzinfo=UTC)
_HEADER = """Pages and mails of Notion Backend.
Brought up to date by ./scripts/messages, which keeps this header.
Glossary of the German one: lead = Anfrage, pending = offen, reached out = kontaktiert,
résumé = Lebenslauf, reference = Aktenzeichen, staff = Team, held = zurückgehalten,
flagged = markiert, prospect = anfragende Person; people are addressed as Sie."""


def found_messages() -> Catalog:
    """All sentences of pages and mails, in the order of the files they stand in."""
    found = Catalog(project="Notion Backend", creation_date=_NO_TIME, fuzzy=False)
    calls = _CALLS | {kind.__name__: (1,) for kind in _error_kinds()}
    for path in _sources():
        method = "python" if path.suffix == ".py" else "jinja2"
        options = {"trimmed": "true", "silent": "false"}
        place = path.relative_to(PACKAGE).as_posix()
        for _, message, _, _ in extract_from_file(method, path, calls, options=options):
            found.add(message, locations=[(place, 0)])
    for kind in _error_kinds():
        found.add(kind.title, locations=[("core/errors.py", 0)])
    for _, title, detail in http_errors._HTTP_ERRORS.values():
        found.add(title, locations=[("presentation/errors.py", 0)])
        found.add(detail, locations=[("presentation/errors.py", 0)])
    return found


def catalogue(language: Language) -> Catalog:
    """A language's catalogue as it is stored."""
    path = _po_path(language)
    if not path.exists():
        return Catalog(locale=str(language), creation_date=_NO_TIME, revision_date=_NO_TIME)
    with path.open("rb") as file:
        return pofile.read_po(file, locale=str(language))


def up_to_date(language: Language) -> Catalog:
    """The stored catalogue with the sentences that are used now, and no others."""
    stored = catalogue(language)
    stored.update(found_messages(), no_fuzzy_matching=True, update_creation_date=False)
    stored.obsolete.clear()
    stored.fuzzy = False
    stored.project, stored.version = "Notion Backend", ""
    stored.header_comment = "\n".join(f"# {line}" for line in _HEADER.splitlines())
    return stored


def files_of(language: Language, content: Catalog) -> dict[Path, bytes]:
    """What the two files of a language have to hold."""
    text, compiled = io.BytesIO(), io.BytesIO()
    pofile.write_po(text, content, width=100, include_lineno=False, omit_header=False)
    mofile.write_mo(compiled, content)
    return {
        _po_path(language): text.getvalue(),
        _po_path(language).with_suffix(".mo"): compiled.getvalue(),
    }


def main(arguments: list[str]) -> int:
    stale = []
    for language in TRANSLATED:
        for path, wanted in files_of(language, up_to_date(language)).items():
            if not path.exists() or path.read_bytes() != wanted:
                stale.append(path)
                if "--check" not in arguments:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(wanted)
        missing = [each.id for each in up_to_date(language) if each.id and not each.string]
        sys.stdout.write(f"{language}: {len(missing)} sentences without a translation\n")
    for path in stale:
        sys.stdout.write(f"{path.relative_to(PACKAGE)}: written anew\n")
    return 1 if stale and "--check" in arguments else 0


def _po_path(language: Language) -> Path:
    return LOCALES / str(language) / "LC_MESSAGES" / "messages.po"


def _sources() -> Iterator[Path]:
    for folder in _FOLDERS:
        for path in sorted((PACKAGE / folder).rglob("*")):
            place = path.relative_to(PACKAGE).as_posix()
            is_template = "templates/" in place and path.suffix in {".html", ".txt"}
            if (path.suffix == ".py" or is_template) and not place.startswith(_ENGLISH_ONLY):
                yield path


def _error_kinds() -> list[type[BusinessError]]:
    kinds = {**vars(errors), **vars(http_errors)}.values()
    return [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BusinessError)]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
