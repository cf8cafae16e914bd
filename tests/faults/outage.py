"""A time in which nothing can be stored: what clients were told, and how soon it was over."""

from types import TracebackType
from typing import Self

from tests.faults.load import Answer, Load
from tests.waiting import wait_until

_ENOUGH = 10
"""So many answers of 201 show that it is over."""


class Outage:
    """Lasts while it is entered; leaving waits until leads are taken again, by itself."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self.began = self.healed = 0.0

    def __enter__(self) -> Self:
        self.began = self._load.now()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.healed = self._load.now()
        if error is None:
            wait_until(self._is_over, 30)

    def wait_until_told(self, times: int = 15, seconds: float = 30.0) -> None:
        """Wait until so many were answered with 503 since it began."""
        wait_until(lambda: len(self.told) >= times, seconds)

    @property
    def told(self) -> list[Answer]:
        """The answers of 503 to what was sent since it began."""
        return [one for one in self._load.since(self.began) if one.status == 503]

    @property
    def seconds(self) -> float:
        """How long it lasted."""
        return self.healed - self.began

    @property
    def recovery(self) -> float:
        """The seconds from healing to the first 201."""
        ends = [one.at + one.seconds for one in self._load.answers if one.status == 201]
        return min(end for end in ends if end > self.healed) - self.healed

    def assert_told(self, *, longest: float, settled: float = 1.0) -> None:
        """Everybody had a 201, or a 503 with Retry-After; nobody waited longer than `longest`.

        From `settled` seconds after it was healed there was nothing but 201.
        """
        refused = [one for one in self._load.answers if one.status != 201]
        assert {one.status for one in refused} <= {503}, self._load.statuses
        assert all(one.retry_after and int(one.retry_after) > 0 for one in refused)
        assert max(one.seconds for one in self._load.answers) < longest
        assert {one.status for one in self._load.since(self.healed + settled)} <= {201}

    def __str__(self) -> str:
        slowest = max((one.seconds for one in self.told), default=0.0)
        return (
            f"{self._load.statuses[201]} x 201, {len(self.told)} x 503 within {slowest:.1f} s; "
            f"201 again {self.recovery:.1f} s after"
        )

    def _is_over(self) -> bool:
        return sum(one.status == 201 for one in self._load.since(self.healed)) >= _ENOUGH
