"""`python -m tests.crash`: the crash run of `scripts/crash`."""

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import quantiles

from tests.crash.cluster import MODES
from tests.crash.planted_bugs import BUGS
from tests.crash.rounds import Report, Run
from tests.servers.commands import close_nursery


def main() -> int:
    options = _options()
    seed = options.seed if options.seed is not None else random.randrange(1_000_000)
    say(f"mode {options.db}, seed {seed}, {options.rounds} rounds")
    folder = Path(tempfile.mkdtemp(prefix="notion-crash-"))
    started = time.monotonic()
    run = Run(options.db, folder, seed, quick=options.quick, bug=options.bug, tell=say)
    try:
        report = run.run(options.rounds)
    finally:
        close_nursery()
    tell(report, time.monotonic() - started)
    say(f"mode {options.db}, seed {seed}")
    if report.holds:
        shutil.rmtree(folder)
    else:
        say(f"Logs, ledger and database: {folder}")
    return 0 if report.holds and report.is_valid else 1


def say(line: str) -> None:
    """Write a line where whoever started the run can see it at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def tell(report: Report, seconds: float) -> None:
    """Print the figures of a run."""
    found = report.violations
    figures = {
        "rounds": report.rounds,
        "acknowledged leads": report.acknowledged,
        "leads stored": report.leads,
        "kills": report.kills.total(),
        "fail points hit": f"{len(report.hits)} ({report.hits.total()} times)",
        "lost": sum(line.startswith("I1:") for line in found),
        "missing": sum(line.startswith(("I2:", "I3:", "I4:")) for line in found),
        "phantom": sum(line.startswith(("I6:", "I10:")) for line in found),
        "duplicate mails": f"{report.duplicates} of at most {report.duplicates_allowed}",
        "of them by a stall": f"{report.duplicates_by_stalls} (not recorded for 2 s and more)",
        "kills that caught one": report.catching_kills,
        "250 to commit": _window(report.windows),
        "slowest restart": f"{report.slowest_restart:.1f} s",
        "violations": len(found),
        "seconds": f"{seconds:.0f}",
    }
    for name, value in figures.items():
        say(f"{name:>22}: {value}")
    for line in (report.wrong + [line for line in found if line not in report.wrong])[:20]:
        say(f"VIOLATED {line}")
    if report.missed:
        say(f"NOT VALID: nobody came to {', '.join(report.missed)}; run more rounds")
    if report.thin_rounds:
        say(f"NOT VALID: {report.thin_rounds} rounds had too few acknowledged leads")


def _window(seconds: Sequence[float]) -> str:
    if len(seconds) < 2:
        return "not measured"
    cuts = quantiles(seconds, n=100)
    return (
        f"p50 {cuts[49] * 1000:.1f} ms, p99 {cuts[98] * 1000:.1f} ms, "
        f"most {max(seconds) * 1000:.0f} ms, of {len(seconds)} mails"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/crash",
        description="Kill the service again and again; see that nothing is lost.",
    )
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, help="decides what is sent and who dies when")
    parser.add_argument("--db", choices=MODES, default="sqlite", help="what is run and killed")
    parser.add_argument(
        "--quick", action="store_true", help="aim every kill; end when each fail point was hit"
    )
    parser.add_argument("--bug", choices=sorted(BUGS), help="plant a bug that must be found")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
