"""`notion-backend leads`: many leads at once, out and in."""

import os
from pathlib import Path
from typing import Annotated

import typer

from notion_backend.application.actor import SHELL
from notion_backend.application.leads.exports import ExportFormat, LeadExporter
from notion_backend.application.leads.import_rows import WrongRow
from notion_backend.application.leads.imports import LeadImporter, Skipped, Stored
from notion_backend.cli.errors import complain
from notion_backend.cli.output import progress
from notion_backend.cli.preparation import prepare
from notion_backend.core.enums import LeadSort
from notion_backend.core.lead_query import LeadQuery
from notion_backend.operations.start import opened_database

_FORMATS = {f".{file_format}": file_format for file_format in ExportFormat}


def register(app: typer.Typer, name: str, summary: str) -> None:
    """Add the commands."""
    group = typer.Typer(help=summary)
    group.command("export")(export_leads)
    group.command("import")(import_leads)
    app.add_typer(group, name=name)


def export_leads(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv|FILE.jsonl", help="What to write.")],
) -> None:
    """Write all leads, without résumés, the oldest first.

    The file gets its name when it is complete; one that has it already is replaced.
    """
    file_format = _FORMATS.get(file.suffix.lower())
    if file_format is None:
        raise typer.BadParameter("Name a file that ends in .csv or .jsonl.")
    settings = prepare()
    draft = file.with_name(f"{file.name}.part")
    query = LeadQuery(sort=LeadSort.CREATED_AT)
    count = 0

    def counted(rows: int) -> None:
        nonlocal count
        count += rows
        advance(rows)

    with opened_database(settings) as database:
        exporter = LeadExporter(database)
        with progress("Exporting", exporter.count(query)) as advance, draft.open("wb") as output:
            output.writelines(exporter.export(query, file_format, SHELL, counted))
            output.flush()
            os.fsync(output.fileno())
    draft.replace(file)
    typer.echo(f"Exported: {count}.")


def import_leads(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="What to read.")],
) -> int:
    """Take in leads from a CSV file in UTF-8, as `export` writes it or a simpler one.

    The first line names the columns, in any order: first_name, last_name and email are needed;
    state, created_at, reference, reached_out_at and reached_out_by are used; id and those of the
    résumé are passed over. Such leads have no résumé, and no mail is sent for them.

    A row that is wrong is told of with its line, the others are stored, and the exit status is 1.
    A row whose reference is known already is skipped, so a broken-off import can be run again;
    rows without a reference would then be stored a second time.
    """
    if file.suffix.lower() != ".csv":
        raise typer.BadParameter("Name a file that ends in .csv.")
    settings = prepare()
    stored = skipped = wrong = 0
    with (
        opened_database(settings) as database,
        file.open("rb") as content,
        progress("Importing", file.stat().st_size, in_bytes=True) as advance,
    ):
        position = 0
        for outcome in LeadImporter(database).run(SHELL, content):
            match outcome:
                case Stored():
                    stored += outcome.count
                    advance(content.tell() - position)
                    position = content.tell()
                case Skipped():
                    skipped += 1
                    complain(f"line {outcome.line}: {outcome.reference} is there already; skipped")
                case WrongRow():
                    wrong += 1
                    complain(f"line {outcome.line}: {outcome.reason}")
    typer.echo(f"Imported: {stored}; skipped: {skipped}; wrong: {wrong}.")
    return 1 if wrong else 0
