import csv
import json
import os
import subprocess
import sys
from pathlib import Path

from tests.cli.command import Command


def write(folder: Path, name: str, *lines: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_an_export_is_imported_into_another_database(notion: Command, tmp_path: Path) -> None:
    source = write(
        tmp_path,
        "in.csv",
        "first_name,last_name,email,created_at",
        "Zoë,=1+1,zoe@example.com,2026-01-02T03:04:05.678901Z",
        "Bo,B,bo@example.com,2025-01-02T03:04:05Z",
    )
    assert notion("leads", "import", source).out == "Imported: 2; skipped: 0; wrong: 0.\n"
    exported = tmp_path / "out.csv"
    assert notion("leads", "export", exported).out == "Exported: 2.\n"
    rows = list(csv.DictReader(exported.read_text("utf-8").splitlines()))
    assert [row["first_name"] for row in rows] == ["Bo", "Zoë"]
    assert rows[1]["last_name"] == "'=1+1"
    other = Command(tmp_path / "other")
    assert other("leads", "import", exported).status == 0
    assert other("leads", "export", tmp_path / "again.jsonl").status == 0
    lines = (tmp_path / "again.jsonl").read_text("utf-8").splitlines()
    again = [json.loads(line) for line in lines]
    assert [lead["reference"] for lead in again] == [row["reference"] for row in rows]
    assert again[1]["last_name"] == "=1+1"


def test_wrong_rows_are_told_of_and_the_status_is_1(notion: Command, tmp_path: Path) -> None:
    source = write(
        tmp_path, "in.csv", "first_name,last_name,email", "A,B,a@example.com", "A,B,nothing"
    )
    done = notion("leads", "import", source)
    assert done.status == 1
    assert done.out == "Imported: 1; skipped: 0; wrong: 1.\n"
    assert done.complaint.startswith("notion-backend: line 3: ")


def test_a_second_import_skips_what_has_its_reference(notion: Command, tmp_path: Path) -> None:
    source = write(
        tmp_path, "in.csv", "first_name,last_name,email,reference", "A,B,a@example.com,REF1"
    )
    assert notion("leads", "import", source).status == 0
    again = notion("leads", "import", source)
    assert again.status == 0
    assert again.out == "Imported: 0; skipped: 1; wrong: 0.\n"
    assert "line 2: REF1" in again.complaint


def test_a_file_that_is_no_such_csv_is_one_line(notion: Command, tmp_path: Path) -> None:
    (tmp_path / "binary.csv").write_bytes(os.urandom(500_000))
    for file in (tmp_path / "none.csv", tmp_path / "binary.csv"):
        done = notion("leads", "import", file)
        assert done.status == 1
        assert done.complaint


def test_an_export_is_for_this_user_alone_and_replaces_the_last_one(
    notion: Command, tmp_path: Path
) -> None:
    target = write(tmp_path, "out.csv", "an older one")
    assert notion("leads", "export", target).status == 0
    assert target.read_text().startswith("id,reference,")
    assert target.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.glob("*.part")) == []
    assert notion("leads", "export", tmp_path / "none" / "out.csv").status == 1


def test_many_times_the_leads_take_no_more_memory(notion: Command, tmp_path: Path) -> None:
    few, many = (peak_of_import(notion, tmp_path, count) for count in (600, 5_000))
    assert many < few + 8_000, "kilobytes"


def peak_of_import(notion: Command, folder: Path, count: int) -> int:
    source = write(
        folder,
        f"{count}.csv",
        "first_name,last_name,email",
        *(f"A{number},{'B' * 200},a{number}@example.com" for number in range(count)),
    )
    data_dir = folder / f"data-{count}"
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(source)],
        env={**notion.environment, "DATA_DIR": str(data_dir)},
        cwd=notion.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout.splitlines()[-1])


PEAK = """
import resource, sys
from notion_backend.cli import main
assert main(["leads", "import", sys.argv[1]]) == 0
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
