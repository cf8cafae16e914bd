"""Several processes that serve one port, and what keeps them running."""

import math
import signal
import socket
import threading
import time
from contextlib import suppress

import structlog
from uvicorn.config import STARTUP_FAILURE, Config
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from notion_backend.server.orderly import OrderlyServer

_STOPPING = frozenset({signal.SIGTERM, signal.SIGINT})

_log = structlog.get_logger(__name__)


class Supervisor(Multiprocess):
    """Keeps `workers` processes running; SIGHUP replaces them one after the other.

    The first one starts alone: what is wrong is then said once, and the others find the
    database migrated.
    """

    def __init__(self, config: Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        self._leaving: list[Process] = []

    def supervise(self) -> int:
        """Run until a signal or a failed start; return the exit status."""
        self.run()
        failed = any(process.exitcode == STARTUP_FAILURE for process in self.processes)
        return 1 if failed else 0

    def init_processes(self) -> None:
        """Start the first worker, and the others when it serves."""
        first = self._new_worker()
        self.processes.append(first)
        if self._comes_to_serve(first):
            self._fill_up()

    def terminate_all(self) -> None:
        """Close the door before the workers go: nobody new waits for whoever no longer answers."""
        for listener in self.sockets:
            listener.close()
        super().terminate_all()

    def join_all(self) -> None:
        """Wait for all workers, those among them that were told to go before."""
        super().join_all()
        for worker in self._leaving:
            worker.join()

    def keep_subprocess_alive(self) -> None:
        """Replace dead workers, but not for a start that would fail again."""
        self._leaving = [worker for worker in self._leaving if worker.process.is_alive()]
        for index, worker in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if worker.is_alive(timeout=self.config.timeout_worker_healthcheck):
                continue
            worker.kill()
            worker.join()
            if worker.exitcode == STARTUP_FAILURE:
                self.should_exit.set()
                return
            _log.warning("worker_died", pid=worker.pid, exit_status=worker.exitcode)
            self.processes[index] = self._new_worker()
        self._fill_up()

    def restart_all(self) -> None:
        """Replace every worker by one that serves already; keep those there are if one does not."""
        for index, old in enumerate(self.processes):
            if self._is_told_to_stop():
                return
            new = self._new_worker()
            if not self._comes_to_serve(new, self.config.timeout_worker_healthcheck):
                new.kill()
                new.join()
                if not self._is_told_to_stop():
                    _log.error("worker_not_ready", pid=new.pid)
                return
            self.processes[index] = new
            self._let_go(old)

    def handle_ttin(self) -> None:
        """Serve with one more worker."""
        self.processes_num += 1
        self._fill_up()

    def handle_ttou(self) -> None:
        """Serve with one worker less, as long as there is another."""
        if self.processes_num > 1:
            self.processes_num -= 1
            self._let_go(self.processes.pop())

    def _comes_to_serve(self, worker: Process, seconds: float = math.inf) -> bool:
        """Wait until a new worker serves; not for one that dies, nor once all have to stop."""
        deadline = time.monotonic() + seconds
        while not worker.is_ready(timeout=0.2):
            has_ended = time.monotonic() > deadline or not worker.process.is_alive()
            if has_ended or self._is_told_to_stop() or self.should_exit.wait(0.1):
                return False
        return True

    def _is_told_to_stop(self) -> bool:
        # A signal is obeyed when the one before has been; while that takes, this is how it is seen.
        return self.should_exit.is_set() or not _STOPPING.isdisjoint(self.signal_queue)

    def _let_go(self, worker: Process) -> None:
        """Tell a worker to finish what it has, without waiting for it: that may take long."""
        worker.terminate()
        self._leaving.append(worker)

    def _fill_up(self) -> None:
        while len(self.processes) < self.processes_num:
            self.processes.append(self._new_worker())

    def _new_worker(self) -> "_Worker":
        worker = _Worker(self.config, self.sockets)
        worker.start()
        return worker


class _Worker(Process):
    """A process of the supervisor's, which serves as the only process does."""

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        self._server = OrderlyServer(self.config)
        threading.Thread(target=self.always_pong, daemon=True).start()
        self._server.run(sockets)

    def ping(self, timeout: float = 5) -> bool:
        # What it was asked while it started it answers late; that says nothing of it now.
        with suppress(OSError, EOFError):
            while self.parent_conn.poll():
                self.parent_conn.recv()
        return super().ping(timeout)
