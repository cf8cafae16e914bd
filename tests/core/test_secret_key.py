import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from notion_backend.core.config import Settings
from notion_backend.core.errors import ConfigurationError
from notion_backend.core.secret_key import derive_key, load_secret_key


def test_development_makes_one_key_and_keeps_it_to_itself(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    made = load_secret_key(settings)
    assert len(made) >= 32
    assert load_secret_key(settings) == made
    kept = tmp_path / "data" / "secret_key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert [file.name for file in kept.parent.iterdir()] == ["secret_key"]


def test_processes_that_start_together_share_one_key(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    with ThreadPoolExecutor(16) as pool:
        keys = set(pool.map(lambda _: load_secret_key(settings), range(32)))
    assert len(keys) == 1


def test_a_given_key_is_used_and_none_is_made(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", secret_key="k" * 40)
    assert load_secret_key(settings) == b"k" * 40
    assert not (tmp_path / "data").exists()


def test_a_kept_key_that_is_too_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("short")
    with pytest.raises(ConfigurationError, match="SECRET_KEY: "):
        load_secret_key(Settings(data_dir=tmp_path))


def test_a_key_for_one_purpose_is_not_the_key_for_another() -> None:
    keys = {derive_key(b"s" * 32, purpose) for purpose in ("cursor", "access-token")}
    assert len(keys) == 2
    assert all(len(key) == 32 for key in keys)
