"""What the tests of the server share."""

from tests.server.logs import log, log_through_logging

__all__ = ["log", "log_through_logging"]
