import os
import signal
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from notion_backend import __version__
from notion_backend.cli import main
from tests.cli.command import Command
from tests.servers.commands import start_command

UNUSABLE = (
    "postgresql://nobody@127.0.0.1:9/none",
    "mysql://nobody@127.0.0.1:9/none",
    "oracle://127.0.0.1/none",
    "sqlite:////proc/none/notion.db",
)


def test_the_version_is_told(notion: Command) -> None:
    assert notion("--version").out == f"notion-backend {__version__}\n"


def test_the_help_names_every_command_and_loads_none(notion: Command) -> None:
    done = notion("--help")
    assert done.status == 0
    for name in ("serve", "worker", "migrate", "users", "leads", "deliveries", "backup", "restore"):
        assert name in done.out
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "notion_backend", "--help"],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    assert "notion_backend.cli" in loaded
    assert "sqlalchemy" not in loaded
    assert "fastapi" not in loaded


@pytest.mark.parametrize(
    "command",
    ["serve", "worker", "migrate", "users create", "leads import", "deliveries retry", "restore"],
)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command.split(), "--help"]) == 0
    assert f"notion-backend {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["unheard-of"],
        ["--unheard-of"],
        ["serve", "--port", "http"],
        ["serve", "--port", "65536"],
        ["serve", "--workers", "0"],
        ["backup"],
        ["users"],
        ["users", "create", "bob"],
        ["users", "create", "bob", "--email", "bob@example.com", "--role", "king"],
        ["deliveries", "list", "--status", "LOST"],
        ["deliveries", "retry"],
        ["deliveries", "retry", "no-id"],
        ["deliveries", "retry", "--all-failed", "019e0000-0000-7000-8000-000000000000"],
        ["leads", "export", "leads.xlsx"],
        ["leads", "import", "leads.jsonl"],
    ],
)
def test_wrong_usage_is_one_line_and_status_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("notion-backend: ")
    assert shown.err.count("\n") == 1


def test_a_refusal_is_the_exit_status_of_the_process(notion: Command) -> None:
    done = notion("serve", "--prot", "80")
    assert done.status == 2
    assert "--port" in done.complaint


@pytest.mark.parametrize("command", ["migrate", "worker", "serve", "users list"])
def test_a_wrong_setting_is_one_line_that_names_it(notion: Command, command: str) -> None:
    done = notion(*command.split(), SMTP_PORT="many")
    assert done.status == 1
    assert "SMTP_PORT" in done.complaint


def test_an_unknown_key_in_the_env_file_is_a_warning_with_the_nearest_name(
    notion: Command,
) -> None:
    (notion.folder / ".env").write_text("SMTP_HOTS=mail.example.com\n")
    done = notion("migrate", LOG_LEVEL="warning")
    assert done.status == 0
    assert "SMTP_HOTS" in done.complaint
    assert "did you mean SMTP_HOST?" in done.complaint


def test_a_data_folder_that_cannot_be_made_is_one_line(notion: Command) -> None:
    (notion.folder / "data").write_text("a file")
    done = notion("migrate")
    assert done.status == 1
    assert "DATA_DIR" in done.complaint


def test_the_data_folder_and_what_is_in_it_are_for_this_user_alone(notion: Command) -> None:
    notion.data_dir.mkdir(mode=0o755)
    notion.data_dir.chmod(0o755)
    key = notion.data_dir / "secret_key"
    key.write_text("0" * 64)
    key.chmod(0o644)
    assert notion("migrate").status == 0
    assert stat.S_IMODE(notion.data_dir.stat().st_mode) == 0o700
    files = list(notion.data_dir.iterdir())
    assert notion.data_dir / "notion.db" in files
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_a_database_that_cannot_be_used_is_one_line(notion: Command) -> None:
    # Servers are waited for, so all at once.
    with ThreadPoolExecutor() as pool:
        for done in pool.map(lambda url: notion("migrate", DATABASE_URL=url), UNUSABLE):
            assert done.status == 1
            assert done.complaint.startswith("notion-backend: ")


def test_a_file_that_is_no_database_is_one_line(notion: Command) -> None:
    notion.data_dir.mkdir()
    (notion.data_dir / "notion.db").write_bytes(b"not a database" * 1000)
    done = notion("users", "list")
    assert done.status == 1
    assert "DATABASE_URL: the database cannot be used: file is not a database" in done.complaint


def test_a_reader_who_leaves_early_gets_no_traceback(notion: Command) -> None:
    assert notion("migrate").status == 0
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "notion_backend", "users", "list", "--json"],
        cwd=notion.folder,
        env=notion.environment,
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert done.stderr == b""


def test_a_name_with_control_characters_cannot_move_the_cursor(notion: Command) -> None:
    done = notion("restore", "\x1b[2J\nnotion-backend: all is well")
    assert done.status == 1
    assert "\x1b" not in done.complaint


def test_ctrl_c_ends_a_command_without_a_traceback(notion: Command) -> None:
    assert notion("migrate").status == 0
    os.mkfifo(notion.folder / "endless.csv")
    with (notion.folder / "log").open("w+b") as log:
        process = start_command(
            ["leads", "import", "endless.csv"],
            folder=notion.folder,
            environment=notion.environment,
            streams=(log, log, log),
        )
        # Opening it for writing waits until the command reads.
        with (notion.folder / "endless.csv").open("wb"):
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
    assert (notion.folder / "log").read_bytes() == b""


def test_everything_lies_where_data_dir_says(notion: Command, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else" / "where"
    assert notion("migrate", DATA_DIR=str(elsewhere)).status == 0
    assert (elsewhere / "notion.db").is_file()
    assert not notion.data_dir.exists()
