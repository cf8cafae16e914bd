"""Composition root of the delivery worker."""

import signal
from types import FrameType

import structlog

from notion_backend.application.assembly import build_postman, lay_foundations
from notion_backend.core.config import Settings
from notion_backend.core.garbage import spare_what_stays

_log = structlog.get_logger(__name__)


def run_worker(settings: Settings) -> int:
    """Deliver mail until SIGTERM or SIGINT, then finish what is in hand; return the exit status.

    Raises:
        ConfigurationError: it cannot start as configured.
    """
    foundations = lay_foundations(settings)
    postman = build_postman(foundations)

    def stop(number: int, _: FrameType | None) -> None:
        _log.info("worker_stopping", signal=signal.Signals(number).name)
        postman.stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    _log.info("worker_started", mail="smtp" if settings.smtp_host else "files")
    spare_what_stays()
    try:
        postman.run()
    finally:
        foundations.close()
    return 0
