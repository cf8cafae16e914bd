"""MariaDB, which no wheel brings: a server of our own where the machine has the program."""

import subprocess

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
        install = [
            *(find_program("mariadb-install-db", "mysql_install_db"), "--no-defaults", data),
            *("--auth-root-authentication-method=normal", "--skip-name-resolve"),
        ]
        subprocess.run(install, check=True, capture_output=True, user=USER, cwd=folder)
        command = [
            *(program_of("mariadb"), "--no-defaults", data, f"--port={port}"),
            *("--bind-address=127.0.0.1", f"--socket={folder / 'socket'}"),
            *("--max-allowed-packet=64M", "--max-connections=300", *options),
        ]
        super().__init__(folder, command, f"mysql://root@127.0.0.1:{port}/test")

    def is_ready(self) -> bool:
        return answers(self.url)


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
