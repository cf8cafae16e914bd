"""What staff should know of a lead before they act on it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flag:
    """Something unusual about a lead: a stable code, and the reason in a sentence."""

    code: str
    reason: str
