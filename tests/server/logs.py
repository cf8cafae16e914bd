"""The log of a server that runs in a thread of the test process."""

import logging
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(scope="session", autouse=True)
def log_through_logging() -> Iterator[None]:
    """Let structlog write through `logging`: its own way to standard output is not thread-safe."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    yield
    structlog.reset_defaults()


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What this test's requests wrote."""
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.INFO, "notion_backend")
    return caplog
