import json
import re
import subprocess
import sys

import pytest

EVENTS = """
import logging, sys, warnings, structlog
from notion_backend.core.logging import configure_logging
configure_logging(sys.argv[1], sys.argv[2])
log = structlog.get_logger("notion_backend.test")
structlog.contextvars.bind_contextvars(request_id="r1")
log.info("first", path="/\\x1b[2J\\n2026-01-01T00:00:00Z [error] forged", agent=["\\u2028\\u202e"])
logging.getLogger("uvicorn.error").info("from %s", "uvicorn\\nforged", extra={"color_message": "c"})
logging.getLogger("uvicorn.access").info("never")
logging.getLogger("alembic.runtime.migration").info("never")
log.debug("ours while debugging")
logging.getLogger("python_multipart").debug("never")
def fails(password):
    raise ValueError("wrong\\n2026-01-01T00:00:00Z [error] forged\\n"
                     "DETAIL:  Failing row contains (1, Zoe).")
try:
    fails("hunter2 is secret")
except ValueError:
    log.exception("failed")
warnings.warn("careful")
print("on standard output")
"""
FORGED = re.compile(r"^\S*2026-01-01T00:00:00Z", re.MULTILINE)


def run(log_format: str, level: str = "info") -> str:
    done = subprocess.run(
        [sys.executable, "-c", EVENTS, log_format, level],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "on standard output\n"
    return done.stderr


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_no_event_can_forge_a_line_or_move_the_cursor(log_format: str) -> None:
    shown = run(log_format)
    assert not FORGED.search(shown)
    assert "\x1b" not in shown
    assert "\u2028" not in shown
    assert "\u202e" not in shown


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_traceback_shows_no_values(log_format: str) -> None:
    shown = run(log_format)
    assert "ValueError: wrong" in shown
    assert "hunter2" not in shown.replace('fails("hunter2 is secret")', "")
    assert "Zoe" not in shown.replace('"DETAIL:  Failing row contains (1, Zoe)."', "")


def test_json_is_one_object_a_line_with_time_level_logger_and_context() -> None:
    events = [json.loads(line) for line in run("json").splitlines()]
    assert [event["event"].split("\n")[0] for event in events][:3] == [
        "first",
        "from uvicorn",
        "failed",
    ]
    assert events[-1]["logger"] == "py.warnings"
    for event in events:
        assert event["request_id"] == "r1"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", event["timestamp"])
    assert (events[0]["level"], events[0]["logger"]) == ("info", "notion_backend.test")
    assert "color_message" not in events[1]


def test_libraries_are_silent_while_we_debug() -> None:
    shown = run("console", "debug")
    assert "ours while debugging" in shown
    assert "never" not in shown


def test_the_level_silences_what_is_less_severe() -> None:
    events = [json.loads(line) for line in run("json", "error").splitlines()]
    assert [event["event"] for event in events] == ["failed"]
