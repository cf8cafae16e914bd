"""System calls of a running process, written down or made to fail as a disk lets them fail."""

import signal
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.parts import program_of
from tests.waiting import wait_until

WRITES = "pwrite64,pwritev,ftruncate,fallocate"
SYNCS = "fsync,fdatasync"
SENDS = "write,writev,sendto,sendmsg"


class WatchedCalls:
    """Writes down calls of a process, with the files that they name, while it is entered.

    Args:
        pid: the process, all threads of which are watched.
        calls: names of system calls, separated by commas.
        log: where they are written down, one a line, in their order.
        shown: how many bytes of what is written or sent.
        options: further ones of strace.
    """

    def __init__(
        self, pid: int, calls: str, log: Path, *, shown: int = 0, options: tuple[str, ...] = ()
    ) -> None:
        self._pid = pid
        self._command = [
            *(program_of("strace"), "-f", "-y", "-qq", "-s", str(shown), "-p", str(pid)),
            *("-o", str(log), "-e", f"trace={calls}", "-e", "signal=none", *options),
        ]

    def __enter__(self) -> Self:
        self._strace = subprocess.Popen(
            self._command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        wait_until(self._is_attached, 30)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._strace.send_signal(signal.SIGTERM)  # it lets go of the process, which goes on
        self._strace.wait(30)

    def _is_attached(self) -> bool:
        assert self._strace.poll() is None, "strace could not attach"
        tasks = [*Path(f"/proc/{self._pid}/task").iterdir()]
        return all(_tracer(task) == self._strace.pid for task in tasks)


class FailingCalls(WatchedCalls):
    """Lets calls of a process fail while it is entered.

    Args:
        pid: the process.
        calls: names of system calls, separated by commas.
        error: what each gives, such as EIO.
        log: where those calls are written down.
        when: which of them, counted from the entering in each thread: `3` or `3+`.
    """

    def __init__(self, pid: int, calls: str, error: str, log: Path, *, when: str = "1+") -> None:
        inject = f"inject={calls}:error={error}:when={when}"
        super().__init__(pid, calls, log, options=("-e", inject))
        self._log = log

    @property
    def injected(self) -> int:
        """How many calls have failed so far."""
        return self._log.read_text("utf-8", "replace").count("(INJECTED)")


def _tracer(task: Path) -> int:
    try:
        lines = (task / "status").read_text("ascii", "replace").splitlines()
    except (FileNotFoundError, ProcessLookupError):  # a thread that has ended meanwhile
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("TracerPid:")), 0)
