"""The documents say what the code does: names, defaults, statuses and links are compared."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from notion_backend import cli
from notion_backend.core import errors
from notion_backend.core.config import Settings
from notion_backend.core.errors import BusinessError
from notion_backend.data.models import Lead
from notion_backend.presentation import errors as http_errors

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "notion_backend"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")], key=str)
SETTINGS = sorted(name.upper() for name in Settings.model_fields)
CODE_BEFORE = {"FieldError": 1, "PydanticCustomError": 0}
"""Where the code stands among the arguments of what is not defined beside its use."""


def page(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def rows(text: str) -> Iterator[list[str]]:
    """Yield the cells of every table row that begins with code."""
    for line in text.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("| ").split(" | ")]


def in_code(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


@pytest.fixture
def defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """The settings of a machine where nothing is set."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return Settings()


def test_every_setting_is_documented_with_its_default(
    defaults: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    documented = {
        in_code(cells[0])[0]: "" if cells[1] == "empty" else in_code(cells[1])[0]
        for cells in rows(page("docs/configuration.md"))
    }
    assert sorted(documented) == SETTINGS
    for name, value in documented.items():
        monkeypatch.setenv(name, value)
        assert getattr(Settings(), name.lower()) == getattr(defaults, name.lower()), name


def test_the_example_file_names_every_setting_with_its_default(
    defaults: Settings, tmp_path: Path
) -> None:
    lines = re.findall(r"^#([A-Z0-9_]+=.*)$", page(".env.example"), re.MULTILINE)
    assert sorted(line.partition("=")[0] for line in lines) == SETTINGS
    for line in lines:
        file = tmp_path / "example"
        file.write_text(line, "utf-8")
        name = line.partition("=")[0].lower()
        read = Settings(_env_file=file)
        assert getattr(read, name) == getattr(defaults, name), name


def test_every_error_code_of_the_source_is_documented() -> None:
    documented = {code for cells in rows(page("docs/errors.md")) for code in in_code(cells[0])}
    found = {code for file in SOURCE.rglob("*.py") for code in codes_in(file)}
    found |= {code for code, _title, _detail in http_errors._HTTP_ERRORS.values()}
    assert len(found) > 40, "the search finds the codes no more"
    assert found - documented == set()
    assert documented - found == set()


def test_every_error_is_documented_with_its_status() -> None:
    status = {
        code: cells[1]
        for cells in rows(page("docs/errors.md"))
        if len(cells) == 4
        for code in in_code(cells[0])
    }
    for kind, answered in http_errors.STATUS_OF.items():
        assert status[kind.code] == str(answered.value), kind
    for number, (code, _title, _detail) in http_errors._HTTP_ERRORS.items():
        assert status[code] == str(number), code


def test_every_class_of_errors_has_a_documented_code() -> None:
    documented = page("docs/errors.md")
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, BusinessError):
            assert f"`{kind.code}`" in documented, kind


def test_every_command_is_documented() -> None:
    text = "\n".join(file.read_text("utf-8") for file in PAGES)
    for name in cli.COMMANDS:
        command = typer.main.get_command(cli._application(name)).commands[name]  # type: ignore[attr-defined]
        for sub in getattr(command, "commands", {}):
            assert f"{name} {sub}" in text, f"{name} {sub}"
        assert f"`notion-backend {name}" in text or f"`{name}`" in text, name


@pytest.mark.parametrize("file", PAGES, ids=lambda file: str(file.relative_to(ROOT)))
def test_every_link_leads_somewhere(file: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(file.read_text("utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (file.parent / path).resolve() if path else file
        assert target.exists(), f"{file.name}: {link}"
        if anchor:
            assert anchor in anchors_of(target), f"{file.name}: {link}"


def test_every_page_that_the_source_names_exists() -> None:
    named = set()
    for file in [*SOURCE.rglob("*.py"), *(ROOT / "scripts").iterdir(), ROOT / ".env.example"]:
        text = file.read_text("utf-8")
        named |= set(re.findall(r"\bdocs/[A-Za-z0-9_/-]+\.md", text))
        for number in re.findall(r"\bADR (\d{4})\b", text):
            assert list((ROOT / "docs" / "adr").glob(f"{number}-*.md")), f"{file}: ADR {number}"
    assert len(named) >= 3, "the search finds the names no more"
    assert [name for name in sorted(named) if not (ROOT / name).is_file()] == []


def test_every_decision_is_in_the_index() -> None:
    index = page("docs/adr/README.md")
    for file in (ROOT / "docs" / "adr").glob("[0-9]*.md"):
        title = file.read_text("utf-8").splitlines()[0]
        assert f"]({file.name}) | {title.partition('. ')[2]} |" in index, file.name


def test_every_test_that_is_named_as_a_proof_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", page("docs/security.md")))
    there = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text("utf-8"), re.MULTILINE)
    }
    assert len(named) > 50, "the search finds the names no more"
    assert sorted(named - there) == []


def test_every_file_that_the_architecture_names_exists() -> None:
    text = page("docs/architecture.md")
    named = re.findall(r"`((?:[a-z_]+/)+[a-z_]+\.(?:py|css))`", text)
    assert len(named) > 20, "the search finds the names no more"
    assert [
        name for name in named if not (SOURCE / name).is_file() and not (ROOT / name).is_file()
    ] == []


def test_every_event_of_the_log_that_is_documented_is_logged() -> None:
    table = page("docs/deployment.md").partition("Events worth an alert")[2].partition("##")[0]
    named = [event for cells in rows(table) for event in in_code(cells[0])]
    source = "\n".join(file.read_text("utf-8") for file in SOURCE.rglob("*.py"))
    assert len(named) > 8, "the search finds the names no more"
    assert [event for event in named if f'"{event}"' not in source] == []


def test_every_metric_that_is_documented_is_rendered() -> None:
    named = re.findall(r"^\| `(notion_\w+)", page("docs/deployment.md"), re.MULTILINE)
    source = (SOURCE / "presentation" / "metrics.py").read_text("utf-8")
    assert len(named) > 4, "the search finds the names no more"
    assert [name for name in named if f'"{name.removesuffix("_total")}"' not in source] == []


def test_every_action_of_an_event_is_documented() -> None:
    source = "\n".join(file.read_text("utf-8") for file in SOURCE.rglob("application/**/*.py"))
    actions = set(re.findall(r'"((?:auth|deliver|lead|resume|user)[a-z]*\.[a-z_]+)"', source))
    assert len(actions) > 15, "the search finds the actions no more"
    documented = set(in_code(page("docs/architecture.md").partition("Actions in `events`")[2]))
    assert actions - documented == set()


def test_every_table_and_column_is_drawn() -> None:
    drawing = page("docs/architecture.md").partition("```mermaid")[2].partition("```")[0]
    drawn = {
        table: set(re.findall(r"^ +\w+ (\w+)", body, re.MULTILINE))
        for table, body in re.findall(r"^ +(\w+) \{\n(.*?)\}", drawing, re.MULTILINE | re.DOTALL)
    }
    assert drawn == {
        table.name: {column.name for column in table.columns}
        for table in Lead.metadata.tables.values()
    }


def codes_in(file: Path) -> Iterator[str]:
    """Yield the error codes of a module: of classes, of keyword and of positional arguments."""
    tree = ast.parse(file.read_text("utf-8"))
    places = dict(CODE_BEFORE)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names = [argument.arg for argument in node.args.args]
            if "code" in names:
                places[node.name] = names.index("code")
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for part in node.body:
                if isinstance(part, ast.Assign | ast.AnnAssign) and name_of(part) == "code":
                    yield from constant(part.value)
        elif isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            if name in places and len(node.args) > places[name]:
                yield from constant(node.args[places[name]])
            for keyword in node.keywords:
                if keyword.arg == "code":
                    yield from constant(keyword.value)


def name_of(part: ast.Assign | ast.AnnAssign) -> str:
    target = part.targets[0] if isinstance(part, ast.Assign) else part.target
    return target.id if isinstance(target, ast.Name) else ""


def constant(value: ast.expr | None) -> list[str]:
    return [str(value.value)] if isinstance(value, ast.Constant) else []


def without_code(markdown: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", markdown, flags=re.DOTALL)


def anchors_of(file: Path) -> set[str]:
    """Return what headings are linked by, as code hosts make it."""
    headings = re.findall(r"^#+ (.+)$", file.read_text("utf-8"), re.MULTILINE)
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }
