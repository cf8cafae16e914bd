"""The service as its users start it: a process, a port, settings from the environment."""

import http.client
from contextlib import closing
from pathlib import Path
from typing import IO

from tests.servers.commands import Process, environment_with, start_command
from tests.servers.process import ServerProcess, free_port


class CommandProcess(ServerProcess):
    """A `notion-backend` command with its data and working folder under `folder`.

    Nothing but `settings` is set, so that no `.env` and no variable of the developer counts;
    `DATA_DIR` is `folder/data` unless they say otherwise. A `genuine` one is no child of the
    nursery but an interpreter of its own, a second slower.
    """

    module = "notion_backend"
    """What is run as `python -m`."""

    def __init__(
        self,
        folder: Path,
        name: str,
        arguments: list[str],
        settings: dict[str, str],
        *,
        genuine: bool = False,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.data_dir = Path(settings.get("DATA_DIR", folder / "data"))
        self._folder = folder
        self._settings = environment_with({"DATA_DIR": str(self.data_dir), **settings})
        self._genuine = genuine
        super().__init__(["notion-backend", *arguments], log_file=folder / f"{name}.log")

    def _spawn(self, output: IO[bytes]) -> Process:
        with Path("/dev/null").open("rb") as nothing:
            return start_command(
                self.command[1:],
                module=self.module,
                folder=self._folder,
                environment=self._settings,
                streams=(nothing, output, output),
                genuine=self._genuine,
            )


class Service(CommandProcess):
    """`notion-backend serve` on a port of its own, the same one after every start."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        name: str = "serve",
        genuine: bool = False,
        **settings: str,
    ) -> None:
        self.port = free_port()
        self.base_url = f"http://127.0.0.1:{self.port}"
        arguments = ["serve", "--port", str(self.port), *options]
        super().__init__(folder, name, arguments, settings, genuine=genuine)

    def is_ready(self) -> bool:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)) as connection:
            try:
                connection.request("GET", "/healthz")
                return connection.getresponse().status == http.client.OK
            except (OSError, http.client.HTTPException):
                return False


class Worker(CommandProcess):
    """`notion-backend worker`; it listens nowhere, but says in its log that it has started."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        name: str = "worker",
        genuine: bool = False,
        **settings: str,
    ) -> None:
        super().__init__(folder, name, ["worker", *options], settings, genuine=genuine)

    def is_ready(self) -> bool:
        return "started" in self.log_since_start
