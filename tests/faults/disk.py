"""A small disk of a test's own that is full or read-only for a while; needs the right to mount."""

import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.servers.parts import find_program
from tests.waiting import wait_until

_USUAL_BYTES = 256 * 1024 * 1024


class Disk:
    """A file system in memory at `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mounted = 0

    def fill(self) -> None:
        """Leave no room beyond what is used."""
        wait_until(self._shrink)

    def make_room(self) -> None:
        """Leave as much room as there was."""
        _run("mount", "-o", f"remount,size={_USUAL_BYTES}", self._folder)

    def forbid_writing(self) -> None:
        """Let be read-only what is opened from now on; no mount changes what is open."""
        self._mount("--bind", self._folder, self._folder)
        _run("mount", "-o", "remount,bind,ro", self._folder)

    def allow_writing(self) -> None:
        """Undo `forbid_writing`."""
        _run("umount", "--lazy", self._folder)
        self._mounted -= 1

    def __enter__(self) -> Self:
        self._folder.mkdir()
        self._mount("-t", "tmpfs", "-o", f"size={_USUAL_BYTES}", "disk", self._folder)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        while self._mounted:
            self.allow_writing()

    def _mount(self, *arguments: str | Path) -> None:
        _run("mount", *arguments)
        self._mounted += 1

    def _shrink(self) -> bool:
        """Try once: what is written meanwhile is in the way."""
        now = os.statvfs(self._folder)
        used = (now.f_blocks - now.f_bfree) * now.f_frsize
        command = [find_program("mount"), "-o", f"remount,size={used}", self._folder]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0


def _run(program: str, *arguments: str | Path) -> None:
    subprocess.run([find_program(program), *arguments], check=True, capture_output=True)
