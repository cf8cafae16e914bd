"""Several processes that serve one port, and what keeps them running."""

import socket
import threading
from contextlib import suppress

import structlog
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from notion_backend.server.orderly import OrderlyServer

_log = structlog.get_logger(__name__)


class Supervisor(Multiprocess):
    """Keeps `workers` processes running; SIGHUP replaces them one after the other.

    The first one starts alone: what is wrong is then said once, and the others find the
    database migrated.
    """

    def supervise(self) -> int:
        """Run until a signal or a failed start; return the exit status."""
        self.run()
        failed = any(process.exitcode == STARTUP_FAILURE for process in self.processes)
        return 1 if failed else 0

    def init_processes(self) -> None:
        """Start the first worker, and the others when it serves."""
        first = self._new_worker()
        self.processes.append(first)
        while not first.is_ready(timeout=0.2):
            self.handle_signals()
            if self.should_exit.wait(0.1) or not first.process.is_alive():
                return
        self._fill_up()

    def terminate_all(self) -> None:
        """Close the door before the workers go: nobody new waits for whoever no longer answers."""
        for listener in self.sockets:
            listener.close()
        super().terminate_all()

    def keep_subprocess_alive(self) -> None:
        """Replace dead workers, but not for a start that would fail again."""
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
            new = self._new_worker()
            if not new.wait_until_ready(self.config.timeout_worker_healthcheck, self.should_exit):
                new.kill()
                new.join()
                _log.error("worker_not_ready", pid=new.pid)
                return
            old.terminate()
            old.join()
            self.processes[index] = new

    def handle_ttin(self) -> None:
        """Serve with one more worker."""
        self.processes_num += 1
        self._fill_up()

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
