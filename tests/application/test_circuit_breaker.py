from notion_backend.application.delivery.circuit_breaker import (
    FIRST_PROBE_SECONDS,
    PROBE_SECONDS,
    REFUSALS_THAT_ALARM,
    CircuitBreaker,
)


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_first_probe_comes_soon_and_then_one_a_minute() -> None:
    clock = Clock()
    breaker = CircuitBreaker(clock)
    assert not breaker.keeps_back()
    breaker.opened_by("connect: refused")
    assert breaker.is_open
    assert breaker.seconds_to_probe() == FIRST_PROBE_SECONDS
    assert breaker.keeps_back()

    clock.now += FIRST_PROBE_SECONDS
    assert breaker.seconds_to_probe() == 0
    breaker.begin_probe()
    assert not breaker.keeps_back()
    assert breaker.keeps_back(), "only one mail passes"
    breaker.opened_by("connect: refused")
    assert breaker.seconds_to_probe() == PROBE_SECONDS
    assert breaker.failures_in_a_row == 2


def test_an_answer_closes_it() -> None:
    breaker = CircuitBreaker(Clock())
    breaker.opened_by("connect: refused")
    breaker.closed_by_answer()
    assert not breaker.is_open
    assert breaker.outage is None
    assert breaker.failures_in_a_row == 0
    assert not breaker.keeps_back()


def test_many_refusals_in_a_row_are_trouble_until_a_mail_is_taken() -> None:
    breaker = CircuitBreaker(Clock())
    for _ in range(REFUSALS_THAT_ALARM - 1):
        breaker.closed_by_answer("rcpt: 550 relaying denied")
    assert breaker.trouble is None
    breaker.closed_by_answer("rcpt: 550 relaying denied")
    assert "10 mails in a row failed" in str(breaker.trouble)
    assert "relaying denied" in str(breaker.trouble)
    assert not breaker.keeps_back(), "each mail is asked for itself"
    breaker.closed_by_answer()
    assert breaker.trouble is None
