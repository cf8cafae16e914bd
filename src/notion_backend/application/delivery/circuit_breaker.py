"""Stops trying while the way out is closed, and looks now and then whether it is open again.

Also tells when mail does not get out although the way is open: when one after another is refused.
"""

import threading
import time
from collections.abc import Callable

FIRST_PROBE_SECONDS = 5.0
PROBE_SECONDS = 60.0
REFUSALS_THAT_ALARM = 10
"""So many failures in a row are hardly the mails' own fault."""


class CircuitBreaker:
    """Closed while mail flows; open from an outage until a probe is answered."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._next_probe: float | None = None
        self._probe_may_pass = False
        self.outage: str | None = None
        """What the server or the network said; None while closed."""
        self.failures_in_a_row = 0
        self._last_failure = ""

    @property
    def trouble(self) -> str | None:
        """Say in a sentence why no mail gets out; None while it does."""
        if self.outage is not None:
            return f"The mail server cannot be used: {self.outage}"
        if self.failures_in_a_row < REFUSALS_THAT_ALARM:
            return None
        return f"{self.failures_in_a_row} mails in a row failed, the last one: {self._last_failure}"

    @property
    def is_open(self) -> bool:
        """Tell whether only probes may go out."""
        return self._next_probe is not None

    def seconds_to_probe(self) -> float:
        """Return how long to wait for the next probe; 0 when closed or when it may go now."""
        with self._lock:
            if self._next_probe is None:
                return 0.0
            return max(0.0, self._next_probe - self._monotonic())

    def begin_probe(self) -> None:
        """Let the next mail pass, and after it none for a minute."""
        with self._lock:
            if self._next_probe is not None:
                self._probe_may_pass = True
                self._next_probe = self._monotonic() + PROBE_SECONDS

    def keeps_back(self) -> bool:
        """Tell whether this mail must wait; the probe alone passes while open."""
        with self._lock:
            if self._next_probe is None:
                return False
            passes, self._probe_may_pass = self._probe_may_pass, False
            return not passes

    def opened_by(self, outage: str) -> None:
        """Note that the way out is closed, and why."""
        with self._lock:
            self.failures_in_a_row += 1
            self.outage = outage
            if self._next_probe is None:
                self._next_probe = self._monotonic() + FIRST_PROBE_SECONDS

    def closed_by_answer(self, refusal: str | None = None) -> None:
        """Note that the server took a mail, or refused it in these words: the way is open."""
        with self._lock:
            self.failures_in_a_row = 0 if refusal is None else self.failures_in_a_row + 1
            self._last_failure = refusal or ""
            self.outage = None
            self._next_probe = None
