"""Parts that no wheel brings and that a machine may lack: where they are, how to get them."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

PARTS: Mapping[str, str] = {
    "chromium": "Debian: apt-get install chromium",
    "mariadb": "Debian: apt-get install mariadb-server",
    "mount": "run the tests as root, in a container with --cap-add SYS_ADMIN",
    "strace": "Debian: apt-get install strace",
}
"""Part → how to get it. A test that needs one says `@pytest.mark.needs("strace")`."""

_PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "mariadb": ("mariadbd", "mysqld"),
    "mount": ("mount",),
    "strace": ("strace",),
}
_MOUNTING = 1 << 21
"""CAP_SYS_ADMIN, see capabilities(7)."""
_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def is_here(part: str) -> bool:
    """Tell whether the machine has this one of `PARTS`."""
    return _which(*_PROGRAMS[part]) is not None and (part != "mount" or _may_mount())


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


def _may_mount() -> bool:
    status = Path("/proc/self/status").read_text("ascii", "replace")
    return any(
        int(line.split()[1], 16) & _MOUNTING
        for line in status.splitlines()
        if line.startswith("CapEff:")
    )


def _which(*names: str) -> str | None:
    folders = os.pathsep.join([os.environ.get("PATH", os.defpath), *_SYSTEM_FOLDERS])
    return next(filter(None, (shutil.which(name, path=folders) for name in names)), None)
