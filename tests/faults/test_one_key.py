"""One key, sixty-four at once: one lead, its mails once, and the same answer for everybody."""

import json
import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from sqlalchemy import make_url

from tests.crash.cluster import STAFF
from tests.crash.ledger import Intent
from tests.crash.loader import Answered
from tests.faults.installation import Installation
from tests.faults.load import plain_intent

_AT_ONCE = 64
_ROUNDS = int(os.environ.get("ONE_KEY_ROUNDS", "10"))
"""Enough for every run; more by hand, as in `ONE_KEY_ROUNDS=200 scripts/test tests/faults`."""


def test_sixty_four_requests_with_one_key_make_one_lead_and_its_mails_once(
    installation: Callable[..., Installation],
    database_url: str,
    measured: Callable[[str, str, str], None],
) -> None:
    kind = make_url(database_url).get_backend_name()
    services = 1 if kind == "sqlite" else 2
    parts = installation(database_url=database_url, services=services)
    together = Barrier(_AT_ONCE)

    def send(intent: Intent) -> Answered | None:
        together.wait(30)
        return parts.loader.send(intent)

    seen: Counter[int] = Counter()
    with ThreadPoolExecutor(_AT_ONCE) as clients:
        for number in range(_ROUNDS):
            intent = plain_intent(number, key=f"one-key-{number}")
            parts.ledger.intend(intent)
            answers = [answer for answer in clients.map(send, [intent] * _AT_ONCE) if answer]
            statuses = Counter(status for status, _, _ in answers)
            assert statuses == {201: _AT_ONCE}
            replayed = Counter(headers.get("idempotent-replayed") for _, headers, _ in answers)
            assert replayed == {None: 1, "true": _AT_ONCE - 1}
            assert len({json.loads(body)["reference"] for _, _, body in answers}) == 1
            seen += statuses
    assert parts.assert_nothing_lost() == _ROUNDS
    each = Counter(message.recipient for message in parts.sink.messages)
    assert each == Counter(
        {plain_intent(number).email: 1 for number in range(_ROUNDS)} | dict.fromkeys(STAFF, _ROUNDS)
    )
    measured(
        f"{_AT_ONCE} at once with one key, {_ROUNDS} times, {kind}, {services} serve",
        f"{seen[201]} x 201, {_ROUNDS} leads",
        f"{each.total()} mails, none twice",
    )
