"""Reads from a trace of system calls whether each 201 was written after a sync of its insert."""

import re
from collections.abc import Iterator
from pathlib import Path

_CALL = re.compile(
    r"^\d+ +(?:<\.\.\. (?P<resumed>\w+) resumed>|(?P<name>\w+)\(\d+<(?P<file>[^>]*)>)"
)
_SENT_REFERENCE = re.compile(r'\\"reference\\":\\"(\w+)\\"')
_MAYBE_REFERENCE = re.compile(r"(?=([0-9A-Z]{26}))")
_SYNCS = ("fsync", "fdatasync")


class Trace:
    """What one `serve` wrote to SQLite's log, synced and sent, by the number of the trace's line.

    Strace holds a thread at the beginning and at the end of each call, so the order of the lines
    is the order in which things happened.
    """

    def __init__(self, calls: Path) -> None:
        self.answers: dict[str, int] = {}
        """Reference → where its 201 began to be sent."""
        self._inserts: dict[str, int] = {}
        self._syncs: list[tuple[int, int]] = []
        """Where each sync of the log began and where it had ended well."""
        self._syncing: dict[str, int] = {}
        self._answering: dict[str, int] = {}
        with calls.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines):
                self._read(number, line)

    @property
    def syncs(self) -> int:
        """How many times the log was synced."""
        return len(self._syncs)

    def answered_too_early(self) -> list[str]:
        """Return the references whose 201 no sync preceded that had followed their insert."""
        return [one for one, answer in self.answers.items() if not self._is_stored(one, answer)]

    def _is_stored(self, reference: str, answer: int) -> bool:
        insert = self._inserts.get(reference)
        return insert is not None and any(
            insert < began and ended < answer for began, ended in self._syncs
        )

    def _read(self, number: int, line: str) -> None:
        call = _CALL.match(line)
        if call is None:
            return
        thread = line.partition(" ")[0]
        name, file = call["name"], call["file"] or ""
        if call["resumed"] in _SYNCS and thread in self._syncing:
            self._end_sync(self._syncing.pop(thread), number, line)
        elif name in _SYNCS and file.endswith("-wal"):
            if "<unfinished" in line:
                self._syncing[thread] = number
            else:
                self._end_sync(number, number, line)
        elif file.endswith("-wal"):
            for reference in _references(line):
                self._inserts.setdefault(reference, number)
        elif file.startswith("socket:"):
            self._read_send(number, line, file)

    def _end_sync(self, began: int, ended: int, line: str) -> None:
        if line.rstrip().endswith("= 0"):
            self._syncs.append((began, ended))

    def _read_send(self, number: int, line: str, socket: str) -> None:
        if '"HTTP/1.1 201 ' in line:
            self._answering[socket] = number
        if (sent := _SENT_REFERENCE.search(line)) and socket in self._answering:
            self.answers[sent[1]] = self._answering.pop(socket)


def _references(line: str) -> Iterator[str]:
    return (found[1] for found in _MAYBE_REFERENCE.finditer(line))
