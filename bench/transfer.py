"""Export and import of many leads beside the least that could do it, with the memory they take.

BENCH_LEADS says how many are exported, 100,000 if it is not set; of them 100,000 at most are
imported. Both are measured within one process each: what starting Python costs is left out.
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.filling import fill
from bench.service import ROOT

LEADS = int(os.environ.get("BENCH_LEADS", "100000").split(",")[-1])
IMPORTED = min(LEADS, 100_000)
_FOLDER = os.environ.get("BENCH_FOLDER", "")


def run() -> None:
    """Print seconds, rate and memory of each beside its reference."""
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(_FOLDER or folder)
        database = kept / f"{LEADS}.db"
        if not database.exists():
            fill(f"sqlite:///{database}", LEADS)
        file = Path(folder) / "leads.csv"
        print(f"export: SQLite, {LEADS:,} leads as CSV")
        _pair("bare-export", "export", [str(database), str(file)], LEADS)
        first = Path(folder) / "first.csv"
        _copy_first(file, first, IMPORTED)
        print(f"import: SQLite, {IMPORTED:,} leads, into an empty database")
        bare, ours = Path(folder) / "bare.db", Path(folder) / "ours.db"
        for empty in (bare, ours):
            fill(f"sqlite:///{empty}", 0)
        _pair("bare-import", "import", [str(first)], IMPORTED, databases=(bare, ours))


def _pair(
    reference: str,
    name: str,
    arguments: list[str],
    rows: int,
    databases: tuple[Path, ...] = (),
) -> None:
    rates = []
    for number, step in enumerate((reference, name)):
        given = [str(databases[number]), *arguments] if databases else arguments
        said = json.loads(
            subprocess.run(
                [sys.executable, "-m", "bench.transfer_steps", step, *given],
                cwd=ROOT,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"},
                check=True,
                capture_output=True,
            ).stdout
        )
        rates.append(rows / said["seconds"])
        print(
            f"  {step:14} {said['seconds']:7.1f} s  {rates[-1]:9,.0f}/s"
            f"  memory +{said['memory']:.0f} MB"
        )
    print(f"  ratio          {rates[1] / rates[0]:7.2f}")


def _copy_first(source: Path, target: Path, rows: int) -> None:
    with source.open(newline="") as read, target.open("w", newline="") as write:
        writer = csv.writer(write)
        for number, row in enumerate(csv.reader(read)):
            if number > rows:
                return
            writer.writerow(row)
