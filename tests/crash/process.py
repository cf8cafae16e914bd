"""`notion-backend` with fail points, shorter leases and, for the harness's own tests, a bug.

Run as `python -m tests.crash.process COMMAND ...`. CRASH_FOLDER is where points are armed;
CRASH_BUG names a bug of `planted_bugs.py`.
"""

import os
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from notion_backend.application.delivery import heartbeat, leases, postman
from notion_backend.cli import main
from tests.crash import fail_points, planted_bugs

LEASE = timedelta(seconds=3)
"""A tenth of the product's: what waits for the end of a lease waits a tenth as long."""
SURE_SECONDS = 2.0
"""So long a lease lasts for sure after its holder could last renew it, once a second."""


def shorten_leases() -> None:
    """Let a killed worker's mails be claimed again after three seconds."""
    leases.LEASE = postman.LEASE = LEASE  # type: ignore[misc,attr-defined]
    heartbeat._RENEWAL_SECONDS = LEASE.total_seconds() - SURE_SECONDS
    heartbeat._TICK_SECONDS = 0.2


def measure_windows(folder: Path) -> None:
    """Write down how many seconds each mail was with the server and not yet recorded."""
    record_sent = leases.Leases.record_sent
    with_times = (folder / f"windows-{os.getpid()}").open("a", buffering=1)

    def record_and_measure(room: Any, lease: leases.Lease, reply: str) -> None:
        began = time.perf_counter()
        try:
            record_sent(room, lease, reply)
        finally:
            seconds = time.perf_counter() - began
            with_times.write(f"{lease.delivery_id.hex} {seconds:.6f}\n")

    leases.Leases.record_sent = record_and_measure  # type: ignore[method-assign]


if __name__ == "__main__":
    shorten_leases()
    measure_windows(Path(os.environ["CRASH_FOLDER"]))
    if bug := os.environ.get("CRASH_BUG"):
        planted_bugs.plant(bug)
    fail_points.install(Path(os.environ["CRASH_FOLDER"]))
    sys.exit(main())
