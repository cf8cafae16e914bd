"""Clients that hold a connection and hardly use it: rows 5 and 6."""

import pytest

from tests.hostile.slow_clients import CROWD, SlowClients

LATENESS = 1.5
"""Seconds that a timer may be late on a busy machine."""


@pytest.fixture
def watched(slow_clients: SlowClients) -> SlowClients:
    """The slow clients after the last of them has ended."""
    slow_clients.wait()
    return slow_clients


# Row 5
@pytest.mark.parametrize("sort", ["silent", "byte of a header"])
def test_hundreds_that_send_no_request_are_closed_after_ten_seconds(
    watched: SlowClients, sort: str
) -> None:
    assert len(watched.ends[sort]) == CROWD
    assert max(watched.ends[sort]) <= 10 + LATENESS


# Row 5
def test_others_are_served_meanwhile(watched: SlowClients) -> None:
    assert len(watched.waits) >= 10
    assert max(watched.waits) < 2


# Row 6
@pytest.mark.parametrize("sort", ["byte of a body", "byte of a chunked body"])
def test_a_body_that_dawdles_for_thirty_seconds_is_refused(watched: SlowClients, sort: str) -> None:
    assert len(watched.ends[sort]) == 3
    assert max(watched.ends[sort]) <= 32 + LATENESS
    assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in watched.answers[sort])


# Row 6
def test_an_honest_slow_phone_gets_through(watched: SlowClients) -> None:
    [answer] = watched.answers["phone"]
    assert answer.startswith(b"HTTP/1.1 201 ")


# The contract: a connection that says nothing is closed within 30 s.
def test_a_connection_that_stays_idle_after_an_answer_is_closed(watched: SlowClients) -> None:
    assert len(watched.ends["idle after an answer"]) == 3
    assert max(watched.ends["idle after an answer"]) <= 30
