"""Starting and stopping the process: exit statuses, signals, workers."""

import contextlib
import http.client
import os
import resource
import signal
import socket
import tempfile
import time
from pathlib import Path
from typing import IO

import psutil
import pytest

from tests.servers.commands import ROOT, Process, environment_with, start_command
from tests.servers.process import ServerProcess, free_port
from tests.waiting import wait_until

PROGRAM = "tests.server.program"


class Program(ServerProcess):
    """A program that calls `run`."""

    def __init__(
        self,
        folder: Path,
        factory: str = "create",
        *,
        port: int = 0,
        workers: int = 1,
        files: int = 0,
    ) -> None:
        self.port = port or free_port()
        command = [PROGRAM, factory, str(self.port), str(workers), str(files)]
        super().__init__(command, log_file=folder / "log")

    def _spawn(self, output: IO[bytes]) -> Process:
        return self.started(output, output)

    def started(self, out: IO[bytes], err: IO[bytes]) -> Process:
        with Path("/dev/null").open("rb") as nothing:
            return start_command(
                self.command[1:],
                module=PROGRAM,
                folder=ROOT,
                environment=environment_with({}),
                streams=(nothing, out, err),
            )

    def is_ready(self) -> bool:
        try:
            return isinstance(self.get("/api/v1/process"), str)
        except OSError:
            return False

    def get(self, path: str) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            return connection.getresponse().read().decode()
        finally:
            connection.close()


@pytest.mark.parametrize(
    ("number", "workers"), [(signal.SIGTERM, 1), (signal.SIGINT, 1), (signal.SIGTERM, 2)]
)
def test_a_signal_lets_requests_in_flight_finish_and_is_no_failure(
    tmp_path: Path, number: signal.Signals, workers: int
) -> None:
    with Program(tmp_path, workers=workers) as program:
        connection = http.client.HTTPConnection("127.0.0.1", program.port, timeout=10)
        connection.request("GET", "/api/v1/slow?seconds=1")
        time.sleep(0.3)
        program.send_signal(number)
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b'"done"')
        connection.close()
        assert program.wait() == 0
        assert "Traceback" not in program.log


@pytest.mark.parametrize("before", [b"", b"GET /api"])
def test_a_request_that_was_on_its_way_is_answered_before_the_end(
    tmp_path: Path, before: bytes
) -> None:
    request = b"GET /api/v1/slow?seconds=0 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with (
        Program(tmp_path) as program,
        socket.create_connection(("127.0.0.1", program.port), timeout=10) as client,
    ):
        client.sendall(before)
        time.sleep(0.1)
        program.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        client.sendall(request.removeprefix(before))
        assert client.recv(4096).startswith(b"HTTP/1.1 200 ")
        assert program.wait() == 0


def test_a_silent_connection_does_not_delay_the_end(tmp_path: Path) -> None:
    with (
        Program(tmp_path) as program,
        socket.create_connection(("127.0.0.1", program.port)),
        socket.create_connection(("127.0.0.1", program.port)) as half,
    ):
        half.sendall(b"GET / HT")
        began = time.monotonic()
        assert program.stop() == 0
        assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("factory", "workers", "sentence"),
    [
        ("create_misconfigured", 1, "SECRET_KEY is too short; give it 32 bytes or more."),
        ("create_misconfigured", 2, "SECRET_KEY is too short; give it 32 bytes or more."),
        ("create_broken_at_startup", 1, "DATABASE_URL cannot be reached."),
        ("create_broken_at_startup", 2, "DATABASE_URL cannot be reached."),
        ("create_broken", 1, "RuntimeError: first line"),
        ("no_such_factory", 1, "ImportFromStringError: "),
    ],
)
def test_a_start_that_fails_is_one_line(
    tmp_path: Path, factory: str, workers: int, sentence: str
) -> None:
    status, errors = _run(Program(tmp_path, factory, workers=workers))
    assert status == 1
    (line,) = errors.splitlines()
    assert line.startswith(f"notion-backend: {sentence}")


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        status, errors = _run(Program(tmp_path, port=port))
    assert status == 1
    sentence = f"notion-backend: Cannot listen on 127.0.0.1 port {port}: Address already in use."
    assert errors == f"{sentence}\n"


def test_a_worker_that_dies_is_replaced(tmp_path: Path) -> None:
    with Program(tmp_path, workers=2) as program:
        pids = _wait_for_two_workers(program)
        os.kill(pids.pop(), signal.SIGKILL)
        assert len(_wait_for_two_workers(program) - pids) == 1


def test_sighup_replaces_the_workers_and_everybody_is_answered(tmp_path: Path) -> None:
    with Program(tmp_path, workers=2) as program:
        pids = _wait_for_two_workers(program)
        in_flight = [
            http.client.HTTPConnection("127.0.0.1", program.port, timeout=20) for _ in range(8)
        ]
        for connection in in_flight:
            connection.request("GET", "/api/v1/slow?seconds=3")
        time.sleep(0.3)
        program.send_signal(signal.SIGHUP)
        while any(map(psutil.pid_exists, pids)):
            assert program.get("/api/v1/process")
        for connection in in_flight:
            assert connection.getresponse().status == 200
            connection.close()
        assert not _wait_for_two_workers(program) & pids
        assert program.stop() == 0


def test_workers_that_are_being_replaced_can_be_stopped(tmp_path: Path) -> None:
    with Program(tmp_path, workers=2) as program:
        _wait_for_two_workers(program)
        slow = http.client.HTTPConnection("127.0.0.1", program.port, timeout=20)
        slow.request("GET", "/api/v1/slow?seconds=2")
        time.sleep(0.3)
        program.send_signal(signal.SIGHUP)
        program.send_signal(signal.SIGTERM)
        assert slow.getresponse().status == 200
        slow.close()
        assert program.wait() == 0
        assert "worker_not_ready" not in program.log


def test_there_can_be_more_workers_and_fewer(tmp_path: Path) -> None:
    with Program(tmp_path, workers=2) as program:
        pids = _wait_for_two_workers(program)
        program.send_signal(signal.SIGTTIN)
        wait_until(lambda: len(_pids(program)) == 3, 20)
        program.send_signal(signal.SIGTTOU)
        wait_until(lambda: _pids(program) == pids, 20)
        assert program.stop() == 0


def test_once_workers_are_told_to_stop_nobody_new_is_left_waiting(tmp_path: Path) -> None:
    with Program(tmp_path, workers=2) as program:
        _wait_for_two_workers(program)
        in_flight = http.client.HTTPConnection("127.0.0.1", program.port, timeout=10)
        in_flight.request("GET", "/api/v1/slow?seconds=3")
        time.sleep(0.3)
        program.send_signal(signal.SIGTERM)
        while program.is_running():
            began = time.monotonic()
            with contextlib.suppress(OSError, http.client.HTTPException):
                program.get("/api/v1/process")
            assert time.monotonic() - began < 2
        assert in_flight.getresponse().status == 200
        in_flight.close()
        assert program.wait() == 0


def test_workers_do_not_outlive_their_supervisor(tmp_path: Path) -> None:
    with Program(tmp_path, workers=2) as program:
        pids = _wait_for_two_workers(program)
        program.send_signal(signal.SIGKILL)
        wait_until(lambda: not any(map(psutil.pid_exists, pids)))
        with Program(tmp_path, port=program.port) as next_one:
            assert next_one.stop() == 0


def test_silent_connections_up_to_the_file_limit_do_not_keep_others_out(tmp_path: Path) -> None:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert soft > 600
    with Program(tmp_path, files=400) as program:
        silent = [socket.create_connection(("127.0.0.1", program.port)) for _ in range(500)]
        began = time.monotonic()
        assert program.get("/api/v1/process")
        assert time.monotonic() - began < 5
        for connection in silent:
            connection.close()


def _run(program: Program) -> tuple[int, str]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        status = program.started(out, err).wait(30)
        err.seek(0)
        return status, err.read().decode()


def _wait_for_two_workers(program: Program) -> set[int]:
    def two() -> set[int]:
        found = _pids(program)
        return found if len(found) == 2 else set()

    return wait_until(two, 20)


def _pids(program: Program) -> set[int]:
    """Return the workers that answer and still live."""
    pids = {int(program.get("/api/v1/process")) for _ in range(20)}
    return {pid for pid in pids if psutil.pid_exists(pid)}
