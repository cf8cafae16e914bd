"""The one place where what went wrong becomes a line for the person at the terminal."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import typer

from notion_backend.core.errors import BusinessError, ConfigurationError
from notion_backend.core.printable import printable

INTERRUPTED = 130
"""What shells expect of a program that Ctrl-C ended."""


@dataclass(slots=True)
class Outcome:
    """The exit status of a command."""

    status: int = 0


@contextmanager
def reported() -> Iterator[Outcome]:
    """Turn what is raised inside into one line on standard error and an exit status.

    LOG_LEVEL=debug shows the traceback of a mistake of ours besides.
    """
    outcome = Outcome()
    try:
        yield outcome
        sys.stdout.flush()
    except typer.TyperException as error:
        outcome.status = _fail(error.format_message(), error.exit_code)
    except typer.Abort:
        outcome.status = _fail("Nothing was done.", 1)
    except (BusinessError, ConfigurationError) as error:
        outcome.status = _fail(str(error), 1)
    except KeyboardInterrupt:
        outcome.status = INTERRUPTED
    except BrokenPipeError:
        # Whoever read standard output has had enough; flushing it at exit would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        outcome.status = 1
    except OSError as error:
        place = f"{error.filename}: " if error.filename is not None else ""
        outcome.status = _fail(f"{place}{error.strerror or error}", 1)
    except Exception as error:
        if os.environ.get("LOG_LEVEL", "").lower() == "debug":
            raise
        # What follows the first line of a database's error are values of the row.
        first_line = (str(error).splitlines() or [""])[0]
        kind = type(error).__name__
        outcome.status = _fail(f"{kind}: {first_line} (LOG_LEVEL=debug shows where)", 1)


def complain(sentence: str) -> None:
    """Write one line to standard error, whatever it holds."""
    line = printable(" ".join(sentence.split()))
    sys.stderr.write(f"notion-backend: {line}\n")


def _fail(sentence: str, status: int) -> int:
    complain(sentence)
    return status
