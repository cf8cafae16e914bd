"""`notion-backend` commands as processes: from the nursery, or from an interpreter of their own."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import IO, ClassVar, Protocol

from tests.servers.nursery import Command

ROOT = Path(__file__).parents[2]
# What a process needs of ours, and nothing that would change the service's settings.
_INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR")


class Process(Protocol):
    """The part of `subprocess.Popen` that tests use."""

    @property
    def pid(self) -> int:
        """The process id."""

    def poll(self) -> int | None:
        """Return the exit status, None while it runs; minus the signal where one ended it."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the exit status, `subprocess.TimeoutExpired` after so many seconds."""

    def send_signal(self, sig: int) -> None:
        """Send a signal, if it has not ended."""


def environment_with(settings: Mapping[str, str]) -> dict[str, str]:
    """Return these settings with what any process needs; no variable of the developer counts."""
    return {key: os.environ[key] for key in _INHERITED if key in os.environ} | dict(settings)


def start_command(
    arguments: Sequence[str],
    *,
    module: str = "notion_backend",
    folder: Path,
    environment: Mapping[str, str],
    streams: tuple[IO[bytes], IO[bytes], IO[bytes]],
    genuine: bool = False,
) -> Process:
    """Start `python -m MODULE` in this folder with these variables and standard streams.

    It comes from the nursery, unless `genuine` or a variable for Python itself, such as
    PYTHONPATH, asks for an interpreter of its own.
    """
    if genuine or any(name.startswith("PYTHON") for name in environment):
        line = [sys.executable, "-m", module, *arguments]
        stdin, stdout, stderr = streams
        return subprocess.Popen(
            line, cwd=folder, env=environment, stdin=stdin, stdout=stdout, stderr=stderr
        )
    return _Nursery.opened().start(
        Command(
            module=module,
            arguments=[*arguments],
            folder=str(folder),
            environment={**environment},
        ),
        streams,
    )


def close_nursery() -> None:
    """End the nursery of this test process, if there is one, and all that came from it."""
    _Nursery.close()


class _Nursery:
    """The other end of `tests/servers/nursery.py`."""

    _lock: ClassVar[threading.Lock] = threading.Lock()
    _open: "ClassVar[_Nursery | None]" = None

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.servers.nursery", str(theirs.fileno())],
                cwd=ROOT,
                env=environment_with({}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    @classmethod
    def opened(cls) -> "_Nursery":
        with cls._lock:
            if cls._open is None:
                cls._open = cls()
            return cls._open

    @classmethod
    def close(cls) -> None:
        with cls._lock:
            if cls._open:
                cls._open._control.close()
                cls._open._process.wait(20)
                cls._open = None

    def start(self, command: Command, streams: Sequence[IO[bytes]]) -> Process:
        reports, theirs = Pipe(duplex=False)
        with theirs:
            files = [*(stream.fileno() for stream in streams), theirs.fileno()]
            socket.send_fds(self._control, [json.dumps(command).encode()], files)
        return _Child([command["module"], *command["arguments"]], reports)


class _Child:
    """A child of the nursery: `Process` without being our child."""

    def __init__(self, command: list[str], reports: Connection) -> None:
        self._command = command
        self._reports = reports
        self._reading = threading.Lock()
        self._status: int | None = None
        self.pid: int = reports.recv()

    def poll(self) -> int | None:
        return self._status_within(0)

    def wait(self, timeout: float | None = None) -> int:
        status = self._status_within(timeout)
        if status is None:
            raise subprocess.TimeoutExpired(self._command, timeout or 0)
        return status

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            # It may have ended since, and only the nursery knows.
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.Signals(sig))

    def _status_within(self, timeout: float | None) -> int | None:
        with self._reading:
            if self._status is None and self._reports.poll(timeout):
                self._status = os.waitstatus_to_exitcode(self._reports.recv())
            return self._status
