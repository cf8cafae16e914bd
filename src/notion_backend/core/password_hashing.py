"""Argon2id (RFC 9106), a few at a time: each takes 64 MiB and a tenth of a second of processor."""

import base64
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher

from notion_backend.core.config import Settings
from notion_backend.core.errors import Unavailable

_BCRYPT_READS = 72
"""Bytes; what stands behind them makes no difference to bcrypt."""
_RETRY_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a password was right; `upgraded` replaces a hash made by an older rule."""

    is_right: bool
    upgraded: str | None = None


class PasswordHasher:
    """Hashes and verifies in the calling thread, at most `at_once` together.

    Args:
        at_once: how many threads may hash together.
        waiting: how many more may wait for their turn; beyond, callers are refused.
        time_cost: passes over the memory.
        memory_kibibytes: memory of one hash.
        lanes: how many threads one hash may use.
    """

    def __init__(
        self,
        *,
        at_once: int = 2,
        waiting: int = 24,
        time_cost: int,
        memory_kibibytes: int,
        lanes: int,
    ) -> None:
        argon2 = Argon2Hasher(time_cost, memory_kibibytes, lanes)
        self._hashers = PasswordHash((argon2, BcryptHasher()))
        self._nobodys = (
            f"$argon2id$v=19$m={memory_kibibytes},t={time_cost},p={lanes}"
            f"${_random_base64(16)}${_random_base64(32)}"
        )
        self._admitted = threading.BoundedSemaphore(at_once + waiting)
        self._working = threading.BoundedSemaphore(at_once)

    @classmethod
    def configured(cls, settings: Settings) -> Self:
        """Return one that works as hard as ARGON2_* say."""
        return cls(
            time_cost=settings.argon2_passes,
            memory_kibibytes=settings.argon2_memory_kib,
            lanes=settings.argon2_lanes,
        )

    def hash(self, password: str) -> str:
        """Return the hash of a password that `PasswordPolicy` accepted.

        Raises:
            Unavailable: too many are waiting.
        """
        with self._turn():
            return self._hashers.hash(password)

    def verify(self, password: str | None, hashed: str | None) -> Verdict:
        """Compare a password with a hash, argon2id or, as older software made it, bcrypt.

        None on either side, or a hash that cannot be compared, is wrong and takes the same time.

        Raises:
            Unavailable: too many are waiting.
        """
        is_comparable = password is not None and hashed is not None
        if is_comparable and BcryptHasher.identify(hashed or ""):
            is_comparable = len((password or "").encode()) <= _BCRYPT_READS
        with self._turn():
            if not is_comparable or password is None or hashed is None:
                self._hashers.verify(password or "", self._nobodys)
                return Verdict(is_right=False)
            is_right, upgraded = self._hashers.verify_and_update(password, hashed)
            return Verdict(is_right, upgraded)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._admitted.acquire(blocking=False):
            raise Unavailable(
                "Too many people are signing in at this moment; try again shortly.",
                retry_after=_RETRY_SECONDS,
            )
        try:
            with self._working:
                yield
        finally:
            self._admitted.release()


def _random_base64(length: int) -> str:
    return base64.b64encode(secrets.token_bytes(length)).decode().rstrip("=")
