import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

from tests.servers.commands import ROOT, environment_with, start_command
from tests.waiting import wait_until

KILLED = """
import sys
from pathlib import Path
from tests.servers.service import Service
service = Service(Path(sys.argv[1]))
service.start()
print(service._started.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        (["users", "list"], {}),
        (["serve", "--port", "no"], {}),
        (["worker"], {"SMTP_PORT": "many"}),
    ],
)
def test_a_command_of_the_nursery_does_what_one_of_its_own_interpreter_does(
    tmp_path: Path, arguments: list[str], settings: dict[str, str]
) -> None:
    (tmp_path / ".env").write_text("SMTP_HOTS=mail.example.com\n")
    quick, genuine = (
        outcome(tmp_path, arguments, settings, genuine=genuine) for genuine in (False, True)
    )
    assert quick == genuine
    assert quick[1:] != (b"", b"")


def outcome(
    folder: Path, arguments: list[str], settings: dict[str, str], *, genuine: bool
) -> tuple[int, bytes, bytes]:
    with (
        Path("/dev/null").open("rb") as nothing,
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
    ):
        process = start_command(
            arguments,
            folder=folder,
            environment=environment_with({"LOG_LEVEL": "error", **settings}),
            streams=(nothing, out, err),
            genuine=genuine,
        )
        status = process.wait(60)
        out.seek(0)
        err.seek(0)
        return status, out.read(), err.read()


def test_a_command_that_a_signal_ended_says_which(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "endless.csv")
    with (tmp_path / "log").open("w+b") as log:
        process = start_command(
            ["leads", "import", "endless.csv"],
            folder=tmp_path,
            environment=environment_with({}),
            streams=(log, log, log),
        )
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.01)
        assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        assert process.wait(20) == process.poll() == -signal.SIGKILL
        process.send_signal(signal.SIGKILL)


def test_nothing_outlives_the_tests_even_when_they_are_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, tmp_path],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as tests:
        assert tests.stdout
        service = psutil.Process(int(tests.stdout.readline()))
        nursery = service.parent()
        assert nursery
        tests.kill()
    wait_until(lambda: not service.is_running() and not nursery.is_running())
