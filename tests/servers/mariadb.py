"""MariaDB, which no wheel brings: a server of our own where the machine has the program."""

import shutil
import subprocess
from pathlib import Path

import pymysql
from sqlalchemy import make_url

from tests.servers.database_server import USER, DatabaseServer, new_folder
from tests.servers.parts import find_program, program_of
from tests.servers.process import free_port


class MariaDbServer(DatabaseServer):
    """A server on a port of its own, the same one after every start.

    It keeps its data over `kill` and `start`. `url` is that of root, for the database `test`.
    """

    def __init__(self, *options: str) -> None:
        folder = new_folder("mariadb")
        port = free_port()
        data = f"--datadir={folder / 'data'}"
        _install(folder)
        command = [
            *(program_of("mariadb"), "--no-defaults", data, f"--port={port}"),
            *("--bind-address=127.0.0.1", f"--socket={folder / 'socket'}"),
            *("--max-allowed-packet=64M", "--max-connections=300", *options),
        ]
        super().__init__(folder, command, f"mysql://root@127.0.0.1:{port}/test")

    def is_ready(self) -> bool:
        return answers(self.url)


def _install(folder: Path) -> None:
    """Make the system tables in `folder/data`.

    The bootstrap of 10.11 crashes in one of some twenty runs (signal 11), as seen without any of
    our code; what it leaves is of no use.
    """
    command = [
        *(find_program("mariadb-install-db", "mysql_install_db"), "--no-defaults"),
        *(f"--datadir={folder / 'data'}", "--auth-root-authentication-method=normal"),
        "--skip-name-resolve",
    ]
    for is_last in (False, False, True):
        try:
            subprocess.run(command, check=True, capture_output=True, user=USER, cwd=folder)
        except subprocess.CalledProcessError:
            if is_last:
                raise
            shutil.rmtree(folder / "data", ignore_errors=True)
        else:
            return


def answers(url: str) -> bool:
    """Tell whether a MariaDB or MySQL lets us in at this URL within two seconds."""
    parts = make_url(url)
    try:
        pymysql.connect(
            host=parts.host or "127.0.0.1",
            port=parts.port or 3306,
            user=parts.username,
            password=parts.password or "",
            database=parts.database,
            connect_timeout=2,
        ).close()
    except pymysql.MySQLError:
        return False
    return True
