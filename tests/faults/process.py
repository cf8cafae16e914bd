"""`notion-backend` with waits that a test shortens and a clock that it moves.

Run as `python -m tests.faults.process COMMAND ...`. FAULT_WAITS is JSON: names of `_WAITS` with
seconds. FAULT_CLOCK names a file; the number in it is added to the wall clock, at any time.
FAULT_NAMES names a file like /etc/hosts, which is asked for names before the real resolver is.
"""

import json
import os
import socket
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from notion_backend.application.delivery import circuit_breaker, heartbeat, leases, postman
from notion_backend.application.delivery import retry_schedule as schedule
from notion_backend.cli import main
from notion_backend.data import sqlite
from notion_backend.mail import smtp, smtp_session


def _set_lease(seconds: float) -> None:
    leases.LEASE = postman.LEASE = timedelta(seconds=seconds)  # type: ignore[misc,attr-defined]
    heartbeat._RENEWAL_SECONDS = seconds / 3
    heartbeat._TICK_SECONDS = min(1.0, seconds / 15)


def _set_probe(seconds: float) -> None:
    circuit_breaker.PROBE_SECONDS = seconds  # type: ignore[misc]


def _set_first_probe(seconds: float) -> None:
    circuit_breaker.FIRST_PROBE_SECONDS = seconds  # type: ignore[misc]


def _set_retries(factor: float) -> None:
    schedule.DELAYS = tuple(delay * factor for delay in schedule.DELAYS)  # type: ignore[misc,assignment]


def _set_silence(seconds: float) -> None:
    schedule.AFTER_SILENCE = leases.AFTER_SILENCE = timedelta(seconds=seconds)  # type: ignore[misc,attr-defined]


def _set_phases(factor: float) -> None:
    """Divide the time of each phase of SMTP: 60 makes of the 600 s of the final dot 10 s."""
    usual = smtp_session.Timeouts()

    def shortened() -> smtp_session.Timeouts:
        return smtp_session.Timeouts(
            connect=usual.connect / factor,
            command=usual.command / factor,
            data=usual.data / factor,
            dot=usual.dot / factor,
        )

    smtp.Timeouts = shortened  # type: ignore[misc,assignment]


def _set_synchronous(level: float) -> None:
    """Weaken how SQLite syncs: 1 is NORMAL, 0 is OFF."""
    sqlite._PRAGMAS = (*sqlite._PRAGMAS, f"synchronous = {level:.0f}")


_WAITS: dict[str, Callable[[float], None]] = {
    "lease": _set_lease,
    "probe": _set_probe,
    "first probe": _set_first_probe,
    "retries, times": _set_retries,
    "silence": _set_silence,
    "phases, divided by": _set_phases,
    "synchronous": _set_synchronous,
}


def _move_clock(file: Path) -> None:
    def utcnow() -> datetime:
        moved = float(file.read_text()) if file.exists() else 0.0
        return datetime.now(UTC) + timedelta(seconds=moved)

    for name, module in list(sys.modules.items()):
        if name.startswith("notion_backend.") and hasattr(module, "utcnow"):
            module.utcnow = utcnow  # type: ignore[attr-defined]


def _know_names(file: Path) -> None:
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **named: Any) -> Any:
        lines = file.read_text().splitlines() if file.exists() else []
        addresses = {name: address for address, name in map(str.split, lines)}
        return resolve(addresses.get(host, host), *arguments, **named)

    socket.getaddrinfo = getaddrinfo


if __name__ == "__main__":
    for wait, seconds in json.loads(os.environ.get("FAULT_WAITS", "{}")).items():
        _WAITS[wait](seconds)
    if clock := os.environ.get("FAULT_CLOCK"):
        _move_clock(Path(clock))
    if names := os.environ.get("FAULT_NAMES"):
        _know_names(Path(names))
    sys.exit(main())
