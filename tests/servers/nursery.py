"""A process that has imported the whole program once and forks a child for each command.

A child is what `python -m MODULE` would be, without the second and more of processor time
that its imports take: it has its own process group, folder, environment and standard streams, runs
the module as `__main__`, and ends as Python ends. `tests/servers/commands.py` speaks with it.

Run as `python -m tests.servers.nursery FD`. Each message on that socket is a `Command` in JSON
with four files: standard input, output and error, and a pipe where the process id and later the
wait status are reported. At the end of the socket every child is killed: none outlives the tests,
however they end.
"""

import contextlib
import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
import tempfile
import time
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TypedDict

from notion_backend.cli import COMMANDS

MESSAGE_BYTES = 128 * 1024
_LOADED_ON_DEMAND = (
    "notion_backend.app",
    "notion_backend.worker",
    "psycopg",
    "pymysql",
    "sqlalchemy.dialects.mysql.pymysql",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite",
    "tests.server.application",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    *(f"notion_backend.cli.{name}" for name in COMMANDS),
)


class Command(TypedDict):
    """What is to be run, and where."""

    module: str
    arguments: list[str]
    folder: str
    environment: dict[str, str]


def main(control: socket.socket) -> None:
    """Fork children until the socket ends; in a child, run its command."""
    for module in _LOADED_ON_DEMAND:
        import_module(module)
    # Only a process of one thread can be forked safely.
    assert len([*Path("/proc/self/task").iterdir()]) == 1
    gc.collect()
    gc.freeze()
    with Nursery(control) as nursery:
        command = nursery.serve()
    if command:
        run(command)


class Nursery(contextlib.ExitStack):
    """The children, and the pipes where their ends are reported."""

    def __init__(self, control: socket.socket) -> None:
        super().__init__()
        self._control = self.enter_context(control)
        self._bell, ringing = (self.enter_context(end) for end in socket.socketpair())
        for end in (self._bell, ringing):
            end.setblocking(False)
        self._reports: dict[int, Connection] = {}
        signal.set_wakeup_fd(ringing.fileno())
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def serve(self) -> Command | None:
        """Return the command in a child, and None at the end of the socket."""
        while True:
            ready, _, _ = select.select([self._control, self._bell], [], [])
            if self._bell in ready:
                with contextlib.suppress(BlockingIOError):
                    self._bell.recv(4096)
                self._report_ends()
            if self._control in ready:
                message, files, _, _ = socket.recv_fds(self._control, MESSAGE_BYTES, 4)
                if not message:
                    self._kill_all()
                    return None
                if not self._fork(files):
                    command: Command = json.loads(message)
                    return command

    def _fork(self, files: list[int]) -> int:
        pid = os.fork()
        if pid:
            # Both sides, as shells do: whoever is first, it is done before it is needed.
            with contextlib.suppress(PermissionError, ProcessLookupError):
                os.setpgid(pid, pid)
            report = self._reports[pid] = Connection(files.pop(), readable=False)
            report.send(pid)
        else:
            os.setpgid(0, 0)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            for report in self._reports.values():
                report.close()
            for number, file in enumerate(files[:3]):
                os.dup2(file, number)
        for file in files:
            os.close(file)
        return pid

    def _report_ends(self) -> None:
        while self._reports:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            with self._reports.pop(pid) as report, contextlib.suppress(BrokenPipeError):
                report.send(status)

    def _kill_all(self) -> None:
        for pid in self._reports:
            os.killpg(pid, signal.SIGKILL)


def run(command: Command) -> None:
    """Be what `python -m MODULE` is in that folder and with that environment."""
    os.chdir(command["folder"])
    os.environ.clear()
    os.environ.update(command["environment"])
    time.tzset()
    tempfile.tempdir = None
    sys.path[0] = command["folder"]
    sys.argv[1:] = command["arguments"]
    runpy.run_module(command["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    assert Path.cwd() == Path(sys.path[0])
    main(socket.socket(fileno=int(sys.argv[1])))
