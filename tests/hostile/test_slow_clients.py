"""Clients that hold a connection and hardly use it: rows 5 and 6."""

from pathlib import Path

import pytest

from tests.hostile.slow_clients import CROWD, SlowClients
from tests.servers.service import Service

LATENESS = 1.5
"""Seconds that a timer may be late on a busy machine."""


# One test, since nothing but half a minute of waiting shows how each of them ends.
@pytest.mark.long
def test_clients_that_dawdle_are_closed_while_others_are_served(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    with Service(tmp_path) as service, SlowClients(service.port) as clients:
        clients.wait()
    for kind in ("silent", "byte of a header"):
        with subtests.test("hundreds without a request are closed after 10 s", kind=kind):
            assert len(clients.ends[kind]) == CROWD
            assert max(clients.ends[kind]) <= 10 + LATENESS
    with subtests.test("others are served meanwhile"):
        assert len(clients.waits) >= 10
        assert max(clients.waits) < 5
    for kind in ("byte of a body", "byte of a chunked body"):
        with subtests.test("a body that dawdles for 30 s is refused", kind=kind):
            assert len(clients.ends[kind]) == 3
            assert max(clients.ends[kind]) <= 32 + LATENESS
            assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in clients.answers[kind])
    with subtests.test("an honest slow phone gets through"):
        [answer] = clients.answers["phone"]
        assert answer.startswith(b"HTTP/1.1 201 ")
    # The contract: a connection that says nothing is closed within 30 s.
    with subtests.test("a connection that stays idle after an answer is closed"):
        assert len(clients.ends["idle after an answer"]) == 3
        assert max(clients.ends["idle after an answer"]) <= 30
