"""Starts and stops the HTTP service: one process, or several under a supervisor."""

import functools
import logging
import multiprocessing
import os
import resource
import signal
import socket
import sys
import threading
from multiprocessing.process import BaseProcess
from typing import Any

from starlette.types import ASGIApp
from uvicorn.config import STARTUP_FAILURE, Config
from uvicorn.importer import import_from_string
from uvicorn.lifespan.on import LifespanOn, LifespanSendMessage

from notion_backend.core.errors import ConfigurationError
from notion_backend.server.orderly import OrderlyServer
from notion_backend.server.protocol import HttpProtocol
from notion_backend.server.supervisor import Supervisor

KEEP_ALIVE_SECONDS = 10
_BACKLOG = 2048
_MAX_OPEN_FILES = 65536
_WORKER_ANSWERS_WITHIN = 30

_silent = logging.getLogger("notion_backend.silent")
_silent.disabled = True


def run(
    application: str,
    *,
    host: str,
    port: int,
    workers: int = 1,
    protocol: type[HttpProtocol] = HttpProtocol,
) -> int:
    """Serve until SIGTERM or SIGINT and return the exit status.

    On a signal no connection is taken any more, requests in flight are finished, then the
    application is shut down: 0. A start that fails is one line on stderr: 1. `application` is
    `module:factory`; each process calls it once, so it also sets up that process's logging.
    """
    raise_file_limit()
    try:
        listener = bind(host, port)
    except OSError as error:
        return _fail(_cannot_listen(host, port, error))
    config = ServerConfig(
        functools.partial(create_application, application),
        factory=True,
        http=protocol,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        workers=workers,
        backlog=_BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_worker_healthcheck=_WORKER_ANSWERS_WITHIN,
    )
    with listener:
        if workers == 1:
            return _serve(config, listener)
        return Supervisor(config, [listener]).supervise()


def check_address(host: str, port: int) -> None:
    """See that the port can be taken, before anything is done that a failed start would waste.

    Raises:
        ConfigurationError: it cannot.
    """
    try:
        bind(host, port).close()
    except OSError as error:
        raise ConfigurationError(_cannot_listen(host, port, error)) from None


def bind(host: str, port: int) -> socket.socket:
    """Take the port without listening yet: nobody is kept waiting by a start that may fail.

    Raises:
        OSError: it is taken, or not ours to take.
    """
    family, kind, number, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, number)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError:
        listener.close()
        raise
    listener.set_inheritable(True)
    return listener


def raise_file_limit() -> None:
    """Let the process open as many files as it may: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _MAX_OPEN_FILES)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def create_application(path: str) -> ASGIApp:
    """Call the factory at `path`; if it fails, say so in one line and leave.

    The exit status tells the supervisor not to try again.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_stop_without, args=(parent,), daemon=True).start()
    try:
        application: ASGIApp = import_from_string(path)()
    except ConfigurationError as error:
        _fail(str(error))
    except Exception as error:
        # Not structlog: as long as nothing has set it up, it would show the traceback.
        logging.getLogger(__name__).debug("start failed", exc_info=True)
        _fail(f"{type(error).__name__}: {error}")
    else:
        return application
    sys.exit(STARTUP_FAILURE)


class ServerConfig(Config):
    """Uvicorn's configuration with our lifespan."""

    def load(self) -> None:
        """Load the application."""
        super().load()
        self.lifespan_class = _Lifespan


class _Lifespan(LifespanOn):
    """Says in one line why the application did not start, where uvicorn logs the traceback."""

    async def send(self, message: LifespanSendMessage) -> None:
        if message["type"] == "lifespan.startup.failed":
            lines = message.get("message", "").strip().splitlines() or ["no reason given"]
            _fail(lines[-1].rpartition("ConfigurationError: ")[2])
            self.logger = _silent
            await super().send({"type": "lifespan.startup.failed", "message": ""})
        else:
            await super().send(message)


def _cannot_listen(host: str, port: int, error: OSError) -> str:
    return f"Cannot listen on {host} port {port}: {error.strerror}."


def _serve(config: Config, listener: socket.socket) -> int:
    try:
        OrderlyServer(config).run(sockets=[listener])
    except SystemExit:
        return 1
    return 0


def _stop_without(parent: BaseProcess) -> None:
    """Stop this worker when its supervisor is gone, so that it does not keep the port."""
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


def _fail(sentence: str) -> int:
    first_line: Any = (sentence.strip().splitlines() or [""])[0]
    sys.stderr.write(f"notion-backend: {first_line}\n")
    return 1
