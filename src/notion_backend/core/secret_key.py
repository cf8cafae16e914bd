"""The secret that signs tokens, cookies and cursors, and the keys made from it."""

import hashlib
import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

from notion_backend.core.config import MINIMUM_SECRET_BYTES, Settings
from notion_backend.core.errors import ConfigurationError


def load_secret_key(settings: Settings) -> bytes:
    """Return SECRET_KEY, or the one that development makes once and keeps in DATA_DIR.

    Raises:
        ConfigurationError: the kept key cannot be read or is too short.
    """
    given = settings.secret_key.get_secret_value()
    if given:
        return given.encode()
    path = settings.data_dir / "secret_key"
    try:
        if not path.exists():
            _make(path)
        kept = path.read_text().strip().encode()
    except OSError as error:
        raise ConfigurationError(f"SECRET_KEY: {path} cannot be used: {error.strerror}") from None
    if len(kept) < MINIMUM_SECRET_BYTES:
        raise ConfigurationError(f"SECRET_KEY: {path} is too short; delete it to have it made anew")
    return kept


def derive_key(secret: bytes, purpose: str) -> bytes:
    """Return a 32-byte key for one purpose, so that no signature is good for another."""
    return hmac.digest(secret, f"notion-backend:{purpose}".encode(), hashlib.sha256)


def _make(path: Path) -> None:
    """Write the whole key before it gets its name: processes that start together share one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(MINIMUM_SECRET_BYTES))
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
