"""A server of our own as a real process, to be stopped, killed and started again at will."""

import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Self

import psutil

from tests.servers.commands import Process
from tests.waiting import wait_until

START_SECONDS = 30.0
STOP_SECONDS = 20.0


class ServerProcess:
    """One server and its children, known by process id.

    As a context manager it is started, and ended with everything below it. Each subclass says when
    it answers, in `is_ready`. Output is appended to `log_file`, over all starts.
    """

    stop_signal = signal.SIGTERM

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log_file: Path,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> None:
        self.command = [str(part) for part in command]
        self.log_file = log_file
        self._cwd = cwd
        self._environment = environment
        self._user = user
        self._process: Process | None = None
        self._log_start = 0

    def start(self) -> None:
        """Start the server and wait until it answers.

        Raises:
            RuntimeError: it ended instead; the message repeats its log.
        """
        if self.is_running():
            raise RuntimeError("it is running already")
        with self.log_file.open("ab") as output:
            self._log_start = output.tell()
            self._process = self._spawn(output)
        try:
            wait_until(self._has_started, START_SECONDS)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> int:
        """Ask the server to end, wait for it, and return its exit status."""
        if self.is_running():
            self.send_signal(self.stop_signal)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end that has been asked for and return the exit status."""
        return self._started.wait(STOP_SECONDS)

    def kill(self) -> None:
        """Send SIGKILL to the server and to all its children at once, and wait for their end."""
        if self._process is None:
            return
        if self._process.poll() is None:
            family = _family(self._process.pid)
            for process in family:
                try:
                    process.kill()
                except psutil.NoSuchProcess:
                    continue
            wait_until(lambda: all(map(_has_ended, family)), STOP_SECONDS)
        self._process.wait(STOP_SECONDS)

    def send_signal(self, number: int) -> None:
        """Send a signal to the server alone, such as SIGSTOP and SIGCONT."""
        self._started.send_signal(number)

    @property
    def pid(self) -> int:
        """The process id of what was started last."""
        return self._started.pid

    def is_running(self) -> bool:
        """Tell whether the process lives."""
        return self._process is not None and self._process.poll() is None

    def is_ready(self) -> bool:
        """Tell whether the server answers; asked while it starts."""
        raise NotImplementedError

    @property
    def log(self) -> str:
        """Everything that the server has written, over all its starts."""
        return self.log_file.read_text("utf-8", "replace") if self.log_file.exists() else ""

    @property
    def log_since_start(self) -> str:
        """What the server has written since it was last started."""
        return self.log_file.read_bytes()[self._log_start :].decode("utf-8", "replace")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()

    def _spawn(self, output: IO[bytes]) -> Process:
        return subprocess.Popen(
            self.command,
            cwd=self._cwd,
            env=self._environment,
            user=self._user,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )

    @property
    def _started(self) -> Process:
        if self._process is None:
            raise RuntimeError("it was never started")
        return self._process

    def _has_started(self) -> bool:
        if not self.is_running():
            status = self._started.poll()
            raise RuntimeError(
                f"{self.command[0]} ended with {status}:\n{self.log_since_start[-4000:]}"
            )
        return self.is_ready()


def free_port() -> int:
    """Find a TCP port on 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _family(pid: int) -> list[psutil.Process]:
    try:
        first = psutil.Process(pid)
        return [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _has_ended(process: psutil.Process) -> bool:
    # An orphan stays a zombie until the init process looks; it holds nothing any more.
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
