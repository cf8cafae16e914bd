"""Stops trying while the way out is closed, and looks now and then whether it is open again.

Also tells when mail does not get out although the way is open: when one after another is refused.
"""

import re
import threading
import time
from collections.abc import Callable

from notion_backend.core.sentences import Sentence, say

FIRST_PROBE_SECONDS = 5.0
PROBE_SECONDS = 60.0
REFUSALS_THAT_ALARM = 10
"""So many failures in a row are hardly the mails' own fault."""
_FAILING = re.compile(
    r"(?P<number>\d+) mails in a row failed, the last one: (?P<last>.*)", re.DOTALL
)


class CircuitBreaker:
    """Closed while mail flows; open from an outage until a probe is answered.

    Several senders tell it what they meet, some of it late. An exchange that began before the
    breaker opened or closed last is old news: its outage opens nothing, its silence closes nothing.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._next_probe: float | None = None
        self._probe: object = None
        self._turn = 0
        self.outage: str | None = None
        """What the server or the network said; None while closed."""
        self.failures_in_a_row = 0
        self._last_failure = ""

    @property
    def turn(self) -> int:
        """Return a number that grows whenever it opens or closes; noted as an exchange begins."""
        return self._turn

    @property
    def trouble(self) -> str | None:
        """Say in a sentence why no mail gets out; None while it does."""
        if self.outage is not None:
            return _out_of_use(self.outage)
        if self.failures_in_a_row < REFUSALS_THAT_ALARM:
            return None
        return _failing(self.failures_in_a_row, self._last_failure)

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

    def begin_probe(self, mail: object) -> None:
        """Let this mail pass, and after it none for a minute."""
        with self._lock:
            if self._next_probe is not None:
                self._probe = mail
                self._next_probe = self._monotonic() + PROBE_SECONDS

    def keeps_back(self, mail: object) -> bool:
        """Tell whether this mail must wait; the probe alone passes while open."""
        with self._lock:
            return self._next_probe is not None and mail != self._probe

    def probe_unused(self, mail: object) -> None:
        """Note that the server was never asked about this mail; was it the probe, another may go.

        So a mail that turns out to be for nobody costs the others no minute.
        """
        with self._lock:
            if self._next_probe is not None and mail == self._probe:
                self._next_probe = self._monotonic()

    def nothing_waits(self) -> None:
        """Close, for there is no mail to probe with: the next one will tell."""
        with self._lock:
            self._close()

    def opened_by(self, outage: str, since: int) -> None:
        """Note that the way out is closed, and why, as met by an exchange of turn `since`."""
        with self._lock:
            if self._next_probe is None and since < self._turn:
                return
            self.failures_in_a_row += 1
            self.outage = outage
            if self._next_probe is None:
                self._turn += 1
                self._next_probe = self._monotonic() + FIRST_PROBE_SECONDS

    def closed_by_answer(self, refusal: str | None, since: int, *, heard: bool = True) -> None:
        """Note that an exchange came as far as a mail of its own: the way is open.

        Args:
            refusal: why the mail was not taken; None where it was.
            since: the turn in which the exchange began.
            heard: whether the server itself said so; false where it fell silent.
        """
        with self._lock:
            self.failures_in_a_row = 0 if refusal is None else self.failures_in_a_row + 1
            self._last_failure = refusal or ""
            if heard or since == self._turn:
                self._close()

    def _close(self) -> None:
        self._turn += self._next_probe is not None
        self._next_probe = self._probe = self.outage = None


def read_trouble(text: str) -> str:
    """Return what `trouble` said, as a sentence again after it was stored."""
    if text.startswith(_out_of_use("")):
        return _out_of_use(text.removeprefix(_out_of_use("")))
    if found := _FAILING.fullmatch(text):
        return _failing(int(found["number"]), found["last"])
    return text


def _out_of_use(outage: str) -> Sentence:
    return say("The mail server cannot be used: {outage}", outage=outage)


def _failing(number: int, last: str) -> Sentence:
    return say("{number} mails in a row failed, the last one: {last}", number=number, last=last)
