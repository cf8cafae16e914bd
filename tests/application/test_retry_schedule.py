from datetime import timedelta

from notion_backend.application.delivery.retry_schedule import (
    DELAYS,
    JITTER,
    MOST_ATTEMPTS,
    delay_after,
)


def test_each_wait_is_the_planned_one_give_or_take_a_fifth() -> None:
    for attempts, planned in enumerate(DELAYS, start=1):
        waits = {delay_after(attempts) for _ in range(50)}
        assert len(waits) > 1
        for wait in waits:
            assert wait is not None
            assert (1 - JITTER) * planned <= wait.total_seconds() <= (1 + JITTER) * planned


def test_the_last_attempt_has_no_next() -> None:
    assert delay_after(MOST_ATTEMPTS) is None


def test_nobody_comes_back_sooner_than_asked() -> None:
    assert delay_after(1, asked=900) == timedelta(seconds=900)


def test_tries_go_on_for_more_than_three_days() -> None:
    assert sum(DELAYS) > 3 * 24 * 3600
