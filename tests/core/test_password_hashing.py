import threading

import bcrypt
from argon2 import PasswordHasher as Argon2

from notion_backend.core.config import Settings
from notion_backend.core.errors import Unavailable
from notion_backend.core.password_hashing import PasswordHasher
from tests.accounts import quick_hasher
from tests.waiting import wait_until

LONG = "the same for seventy-two bytes, which is as far as bcrypt has ever looked"


def test_a_hash_is_argon2id_with_the_recommended_parameters() -> None:
    hashed = PasswordHasher.configured(Settings()).hash("violet harbour")

    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert Argon2().verify(hashed, "violet harbour")


def test_only_the_right_password_is_right() -> None:
    hasher = quick_hasher()
    hashed = hasher.hash("violet harbour")

    assert hasher.verify("violet harbour", hashed).is_right
    assert not hasher.verify("violet harbouR", hashed).is_right
    assert not hasher.verify("violet harbour", None).is_right
    assert not hasher.verify(None, hashed).is_right
    assert not hasher.verify(None, None).is_right


def test_every_byte_of_a_long_password_counts() -> None:
    hasher = quick_hasher()
    hashed = hasher.hash(LONG + " and more")

    assert len(LONG) >= 72
    assert not hasher.verify(LONG + " and else", hashed).is_right


def test_a_bcrypt_hash_is_verified_and_upgraded() -> None:
    hasher = quick_hasher()
    old = bcrypt.hashpw(b"violet harbour", bcrypt.gensalt(4)).decode()

    verdict = hasher.verify("violet harbour", old)

    assert verdict.is_right
    assert verdict.upgraded is not None
    assert hasher.verify("violet harbour", verdict.upgraded).is_right
    assert not hasher.verify("violet", old).is_right


def test_what_bcrypt_would_cut_off_is_wrong() -> None:
    old = bcrypt.hashpw(LONG.encode()[:72], bcrypt.gensalt(4)).decode()

    assert not quick_hasher().verify(LONG + " and more", old).is_right


def test_a_hash_of_weaker_parameters_is_upgraded_and_one_of_ours_is_left() -> None:
    weak = quick_hasher().hash("violet harbour")
    stronger = PasswordHasher(time_cost=2, memory_kibibytes=8, lanes=1)

    upgraded = stronger.verify("violet harbour", weak).upgraded

    assert upgraded is not None
    assert stronger.verify("violet harbour", upgraded).upgraded is None


def test_those_for_whom_there_is_no_room_are_told_to_come_back() -> None:
    hasher = PasswordHasher(at_once=1, waiting=1, time_cost=12, memory_kibibytes=65536, lanes=1)
    outcomes: list[str] = []

    def try_it() -> None:
        try:
            hasher.hash("violet harbour")
        except Unavailable as error:
            outcomes.append("refused" if error.retry_after else "refused for ever")
        else:
            outcomes.append("hashed")

    threads = [threading.Thread(target=try_it) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: outcomes.count("refused") == 2)
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == ["hashed", "hashed", "refused", "refused"]
