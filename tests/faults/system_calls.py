"""System calls of a running process that fail, as a disk lets them."""

import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.parts import program_of
from tests.waiting import wait_until

WRITES = "pwrite64,pwritev,ftruncate,fallocate"
SYNCS = "fsync,fdatasync"


class FailingCalls:
    """Lets calls of a process fail while it is entered.

    Args:
        pid: the process, all threads of which are watched.
        calls: names of system calls, separated by commas.
        error: what each gives, such as EIO.
        when: which of them, counted from the entering: `3`, `3+` or `3+2`, as strace has it.
        log: where those calls are written down, with the files that they name.
    """

    def __init__(self, pid: int, calls: str, error: str, log: Path, *, when: str = "1+") -> None:
        self._pid = pid
        self._log = log
        self._command = [
            *(program_of("strace"), "-f", "-y", "-qq", "-s", "0", "-p", str(pid)),
            *("-o", str(log), "-e", f"trace={calls}", "-e", "signal=none"),
            *("-e", f"inject={calls}:error={error}:when={when}"),
        ]

    @property
    def injected(self) -> int:
        """How many calls have failed so far."""
        return self._log.read_text("utf-8", "replace").count("(INJECTED)")

    def __enter__(self) -> Self:
        self._strace = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        wait_until(self._is_attached, 20)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._strace.send_signal(signal.SIGTERM)  # it lets go of the process, which goes on
        self._strace.wait(20)

    def _is_attached(self) -> bool:
        assert self._strace.poll() is None, "strace could not attach"
        tasks = Path(f"/proc/{self._pid}/task").iterdir()
        return all(_tracer(task) == self._strace.pid for task in tasks)


def _tracer(task: Path) -> int:
    lines = (task / "status").read_text("ascii", "replace").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("TracerPid:"))
