"""Logs: one line an event on standard error, for people or for machines.

Times are in UTC, ISO 8601. The context of structlog (`request_id`) is part of every line. Standard
output is left to what a command prints. No line can be forged: whatever an event holds stays on
its own line. Tracebacks show neither local variables nor values from the database, which can be
personal data.
"""

import logging
import re
import sys
from typing import Literal

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from notion_backend.core.printable import printable

LogFormat = Literal["console", "json"]
_OUR_LOGGER = "notion_backend"
# PostgreSQL and MySQL repeat the offending row's values in these words.
_ROW_VALUES = re.compile(r"(?m)^DETAIL: .*$|Duplicate entry '.*' for|value: '.*' for column")


def configure_logging(log_format: LogFormat, level: str) -> None:
    """Send the events of structlog and of the standard library, warnings too, to standard error.

    Args:
        log_format: `console` for people, `json` for one JSON object a line.
        level: the least severe events shown. Libraries stay silent below `info`: what they tell
            while debugging holds the content of requests and mails.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.format_exc_info,
        _hide_row_values,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _drop_colour,
                *_rendering(log_format),
            ],
        )
    )
    own_level = logging.getLevelNamesMapping()[level.upper()]
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(own_level, logging.INFO))
    logging.getLogger(_OUR_LOGGER).setLevel(own_level)
    # Alembic tells which database it is, at every start.
    logging.getLogger("alembic").setLevel(max(own_level, logging.WARNING))
    # Access lines hold query strings; the service writes its own.
    logging.getLogger("uvicorn.access").disabled = True
    logging.captureWarnings(True)


def _rendering(log_format: LogFormat) -> list[Processor]:
    if log_format == "json":
        return [structlog.processors.JSONRenderer()]
    return [
        _keep_on_one_line,
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        ),
    ]


def _drop_colour(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Uvicorn says each sentence a second time, for terminals."""
    event.pop("color_message", None)
    return event


def _hide_row_values(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    traceback = event.get("exception")
    if isinstance(traceback, str):
        event["exception"] = _ROW_VALUES.sub("[values hidden]", traceback)
    return event


def _keep_on_one_line(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Escape what could begin a line of its own; a traceback's lines are indented instead."""
    shown: EventDict = {}
    for key, value in event.items():
        if key == "exception":
            lines = str(value).splitlines()
            shown[key] = "\n".join("    " + printable(line) for line in lines)
        else:
            shown[printable(key)] = printable(value if isinstance(value, str) else repr(value))
    return shown
