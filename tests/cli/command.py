"""One call of `notion-backend`, as a person at a shell makes it."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.servers.commands import environment_with, start_command

_TIMEOUT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Outcome:
    status: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line of a refusal; anything else on standard error is a failure of the test."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        return lines[0]


class Command:
    """Calls the command in a folder of its own, with these settings and no others."""

    def __init__(self, folder: Path, **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.data_dir = Path(settings.get("DATA_DIR", folder / "data"))
        self.environment = environment_with({"DATA_DIR": str(self.data_dir), **settings})
        self.environment.setdefault("LOG_LEVEL", "error")

    def __call__(self, *arguments: str | Path, stdin: str = "", **settings: str) -> Outcome:
        with (
            tempfile.TemporaryFile() as typed,
            tempfile.TemporaryFile() as out,
            tempfile.TemporaryFile() as err,
        ):
            typed.write(stdin.encode())
            typed.seek(0)
            process = start_command(
                [*map(str, arguments)],
                folder=self.folder,
                environment={**self.environment, **settings},
                streams=(typed, out, err),
            )
            status = process.wait(_TIMEOUT_SECONDS)
            for file in (out, err):
                file.seek(0)
            return Outcome(status, out.read().decode(), err.read().decode())
