"""Parts that no wheel brings and that a machine may lack: where they are, how to get them."""

import os
import shutil
from collections.abc import Mapping

PARTS: Mapping[str, str] = {
    "chromium": "Debian: apt-get install chromium",
    "mariadb": "Debian: apt-get install mariadb-server",
    "strace": "Debian: apt-get install strace",
}
"""Part → how to get it. A test that needs one says `@pytest.mark.needs("strace")`."""

_PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "mariadb": ("mariadbd", "mysqld"),
    "strace": ("strace",),
}
_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def is_here(part: str) -> bool:
    """Tell whether the machine has this one of `PARTS`."""
    return _which(*_PROGRAMS[part]) is not None


def program_of(part: str) -> str:
    """Find the program of one of `PARTS`.

    Raises:
        FileNotFoundError: the machine does not have it.
    """
    return find_program(*_PROGRAMS[part])


def find_program(*names: str) -> str:
    """Find the first of these programs, also where only the system's servers lie.

    Raises:
        FileNotFoundError: the machine has none of them.
    """
    if path := _which(*names):
        return path
    raise FileNotFoundError(f"not on this machine: {' or '.join(names)}")


def _which(*names: str) -> str | None:
    folders = os.pathsep.join([os.environ.get("PATH", os.defpath), *_SYSTEM_FOLDERS])
    return next(filter(None, (shutil.which(name, path=folders) for name in names)), None)
