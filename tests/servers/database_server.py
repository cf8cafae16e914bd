"""What our own database servers share: a folder and a user."""

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.servers.process import ServerProcess

USER = "nobody" if os.geteuid() == 0 else None
"""Whom the servers run as: they refuse root. None: whoever we are."""


class DatabaseServer(ServerProcess):
    """A server with a folder of its own, which goes when the context manager is left."""

    def __init__(self, folder: Path, command: Sequence[str | Path], url: str) -> None:
        super().__init__(command, log_file=folder / "server.log", cwd=folder, user=USER)
        self.folder = folder
        self.url = url
        """The URL for the server's administrator, who may create databases."""

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        shutil.rmtree(self.folder)


def new_folder(name: str) -> Path:
    """Make a folder under the temporary one that the servers' user may enter and write."""
    folder = Path(tempfile.mkdtemp(prefix=f"notion-{name}-"))
    if USER:
        shutil.chown(folder, USER)
    return folder
