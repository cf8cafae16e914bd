"""An orderly end while a start is not done; from then on the service has its own handlers."""

import signal
import sys
from types import FrameType


def leave_on_signals() -> None:
    """End with status 0 on SIGTERM and SIGINT, undoing what is in hand."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)


def _leave(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
