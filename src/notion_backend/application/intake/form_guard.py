"""What makes a page's form look like a robot's (ASVS V2.4.1).

Nothing is refused for it: the lead is kept with its flags and its confirmation is HELD, so that
nobody can have mail sent to strangers and no prospect is lost to a guess.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from notion_backend.application.flags import Flag
from notion_backend.application.intake.form_proof import PROOF_FIELD, UNPROVEN, FormProof
from notion_backend.core.clock import utcnow
from notion_backend.core.secret_key import derive_key
from notion_backend.core.sentences import Sentence, say

STAMP_FIELD = "form_stamp"
"""Says, sealed, when the form was shown."""
KEY_FIELD = "idempotency_key"
"""Makes a form that is sent twice one lead."""
BAIT_FIELD = "website"
"""A field that people do not see; what fills in everything fills it in too."""

TOO_QUICK = Flag("form_too_quick", "The form was sent sooner than a person fills it in.")
BAIT_TAKEN = Flag("form_bait_taken", "A field was filled in that people do not see.")

_SEAL_BYTES = 16


def held_for(suspicions: Sequence[Flag]) -> Sentence:
    """Say why the confirmation of a form with these flags is held."""
    return say("It looks like a robot's: {reasons}", reasons=_reasons(suspicions))


def read_held(text: str) -> str:
    """Return what `held_for` said, as a sentence again; any other text as it is."""
    suspicions = [flag for flag in (BAIT_TAKEN, TOO_QUICK, UNPROVEN) if flag.reason in text]
    return held_for(suspicions) if suspicions and held_for(suspicions) == text else text


def _reasons(suspicions: Sequence[Flag]) -> Sentence:
    first, *others = suspicions
    if not others:
        return say(first.reason)
    return say("{first} {others}", first=say(first.reason), others=_reasons(others))


class FormGuard:
    """Stamps forms when they are shown and looks at them when they come back.

    Args:
        secret: signs the stamps.
        min_seconds: a form that comes back sooner is flagged; None flags none.
        proof: a form that comes back without a proof of work is flagged; None asks for none.
    """

    def __init__(
        self, secret: bytes, min_seconds: int | None, proof: FormProof | None = None
    ) -> None:
        self._proof = proof
        self._key = derive_key(secret, "form-stamp")
        self._min_age = None if min_seconds is None else timedelta(seconds=min_seconds)

    def stamp(self) -> str:
        """Return what a form that is shown now carries in `STAMP_FIELD`."""
        shown = f"{utcnow().timestamp():.3f}"
        return f"{shown}-{self._seal(shown)}"

    def challenge(self, idempotency_key: str) -> str:
        """Return what the script of a form with this key has to solve; empty if nothing."""
        return self._proof.challenge(idempotency_key) if self._proof else ""

    def suspicions(self, fields: Mapping[str, str]) -> tuple[Flag, ...]:
        """Return what is suspicious about a form that came back.

        One without a stamp is a program's that says so, as `curl` is: it is not flagged, unless a
        proof is asked for, which only the script of the page makes.
        """
        found = []
        if fields.get(BAIT_FIELD, "").strip():
            found.append(BAIT_TAKEN)
        if self._min_age is not None and (stamp := fields.get(STAMP_FIELD)):
            shown = self._shown_at(stamp)
            if shown is None or utcnow() - shown < self._min_age:
                found.append(TOO_QUICK)
        if self._proof is not None and not self._proof.is_proven(
            fields.get(PROOF_FIELD, ""), fields.get(KEY_FIELD, "")
        ):
            found.append(UNPROVEN)
        return tuple(found)

    def _shown_at(self, stamp: str) -> datetime | None:
        shown, _, seal = stamp.partition("-")
        if not hmac.compare_digest(seal.encode(), self._seal(shown).encode()):
            return None
        return datetime.fromtimestamp(float(shown), UTC)

    def _seal(self, shown: str) -> str:
        return hmac.digest(self._key, shown.encode(), hashlib.sha256)[:_SEAL_BYTES].hex()
