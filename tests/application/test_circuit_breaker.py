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
    assert not breaker.keeps_back("any")
    breaker.opened_by("connect: refused", breaker.turn)
    assert breaker.is_open
    assert breaker.seconds_to_probe() == FIRST_PROBE_SECONDS
    assert breaker.keeps_back("any")

    clock.now += FIRST_PROBE_SECONDS
    assert breaker.seconds_to_probe() == 0
    breaker.begin_probe("one")
    assert breaker.keeps_back("another"), "only the probe passes"
    assert not breaker.keeps_back("one")
    breaker.opened_by("connect: refused", breaker.turn)
    assert breaker.seconds_to_probe() == PROBE_SECONDS
    assert breaker.failures_in_a_row == 2


def test_an_answer_closes_it() -> None:
    breaker = CircuitBreaker(Clock())
    breaker.opened_by("connect: refused", breaker.turn)
    breaker.closed_by_answer(None, breaker.turn)
    assert not breaker.is_open
    assert breaker.outage is None
    assert breaker.failures_in_a_row == 0
    assert not breaker.keeps_back("any")


def test_silence_in_an_exchange_from_before_the_outage_closes_nothing() -> None:
    breaker = CircuitBreaker(Clock())
    before = breaker.turn
    breaker.opened_by("connect: refused", before)
    breaker.closed_by_answer("dot: no answer in time", before, heard=False)
    assert breaker.is_open
    breaker.closed_by_answer(None, before, heard=True)
    assert not breaker.is_open


def test_an_outage_from_before_it_closed_opens_nothing() -> None:
    breaker = CircuitBreaker(Clock())
    before = breaker.turn
    breaker.opened_by("connect: refused", before)
    breaker.closed_by_answer(None, breaker.turn)
    breaker.opened_by("connect: no answer in time", before)
    assert not breaker.is_open


def test_a_probe_that_was_never_sent_costs_no_minute() -> None:
    breaker = CircuitBreaker(Clock())
    breaker.opened_by("connect: refused", breaker.turn)
    breaker.begin_probe("for nobody")
    breaker.probe_unused("another")
    assert breaker.seconds_to_probe() == PROBE_SECONDS
    breaker.probe_unused("for nobody")
    assert breaker.seconds_to_probe() == 0


def test_with_nothing_to_send_nothing_is_stopped() -> None:
    breaker = CircuitBreaker(Clock())
    breaker.opened_by("connect: refused", breaker.turn)
    breaker.nothing_waits()
    assert breaker.trouble is None
    assert not breaker.is_open


def test_many_refusals_in_a_row_are_trouble_until_a_mail_is_taken() -> None:
    breaker = CircuitBreaker(Clock())
    for _ in range(REFUSALS_THAT_ALARM - 1):
        breaker.closed_by_answer("rcpt: 550 relaying denied", breaker.turn)
    assert breaker.trouble is None
    breaker.closed_by_answer("rcpt: 550 relaying denied", breaker.turn)
    assert "10 mails in a row failed" in str(breaker.trouble)
    assert "relaying denied" in str(breaker.trouble)
    assert not breaker.keeps_back("any"), "each mail is asked for itself"
    breaker.closed_by_answer(None, breaker.turn)
    assert breaker.trouble is None
