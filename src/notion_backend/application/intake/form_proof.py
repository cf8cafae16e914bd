"""Proof of work for the public form, after ALTCHA: a browser spends what a robot has to spend too.

A challenge names the idempotency key of its form. So a proof is good for one lead alone, and none
has to be remembered: the same key again is the same lead.
"""

import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import parse_qs

from altcha.v1 import ChallengeOptions, create_challenge, verify_solution

from notion_backend.application.flags import Flag
from notion_backend.core.clock import utcnow
from notion_backend.core.secret_key import derive_key

PROOF_FIELD = "proof"
UNPROVEN = Flag("form_unproven", "The form came without the proof of work that its page makes.")

MOST_TRIES = 50_000
"""Half of it on average: a quarter of a second on a laptop, some two seconds on an old phone."""
LIFETIME = timedelta(hours=4)
"""So long may somebody take to fill the form in."""
_ALGORITHM: Final = "SHA-256"
_TEXTS = ("algorithm", "challenge", "salt", "signature")


class FormProof:
    """Makes challenges and judges what comes back."""

    def __init__(self, secret: bytes) -> None:
        self._key = derive_key(secret, "form-proof")

    def challenge(self, idempotency_key: str) -> str:
        """Return the challenge of a form with this key, as JSON for its script."""
        options = ChallengeOptions(
            algorithm=_ALGORITHM,
            max_number=MOST_TRIES,
            hmac_key=self._key,
            expires=utcnow() + LIFETIME,
            params={"key": idempotency_key},
        )
        return json.dumps(create_challenge(options).to_dict())

    def is_proven(self, proof: str, idempotency_key: str) -> bool:
        """Tell whether this is a solution of a challenge of ours for this key, still in time."""
        solution = _read(proof)
        if solution is None:
            return False
        asked = parse_qs(str(solution["salt"]).partition("?")[2])
        if asked.get("key") != [idempotency_key] or not asked.get("expires"):
            return False
        is_solved, _ = verify_solution(solution, self._key)
        return is_solved


def _read(proof: str) -> Any:
    """Return what a script has sent, or None where the library could stumble over it."""
    try:
        found = json.loads(base64.b64decode(proof, validate=True))
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, Mapping):
        return None
    texts = [found.get(name) for name in _TEXTS]
    # JSON can name half a character, which no encoding takes; ours hold nothing of the kind.
    if not all(isinstance(text, str) and text.isascii() for text in texts):
        return None
    number = found.get("number")
    is_number = isinstance(number, int) and 0 <= number <= MOST_TRIES
    return found if is_number and found["algorithm"] == _ALGORITHM else None
