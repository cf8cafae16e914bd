import pytest

from notion_backend.application.accounts.login_throttle import LoginThrottle
from notion_backend.core.errors import RateLimited
from notion_backend.core.rates import Rate
from notion_backend.data.unit_of_work import Database
from tests.accounts import ANOTHER_PASSWORD, PASSWORD, AccountKit


@pytest.fixture
def quick(sqlite_database: Database) -> AccountKit:
    return AccountKit(sqlite_database)


def test_the_hundred_and_first_failure_locks_the_account_for_fifteen_minutes_at_most(
    quick: AccountKit,
) -> None:
    quick.add("zoe")
    quick.add("other")
    for number in range(100):
        quick.refusal("zoe" if number % 2 else "zoe@example.com", ANOTHER_PASSWORD)

    for password in (ANOTHER_PASSWORD, PASSWORD):
        with pytest.raises(RateLimited) as refused:
            quick.sign_in("zoe", password)
        assert 0 < (refused.value.retry_after or 0) <= 15 * 60
    assert quick.sign_in("other").access_token


def test_an_unknown_name_is_locked_like_a_known_one(quick: AccountKit) -> None:
    for _ in range(100):
        quick.refusal("nobody", PASSWORD)

    with pytest.raises(RateLimited):
        quick.sign_in("NOBODY")
    quick.refusal("somebody", PASSWORD)


def test_signing_in_does_not_count_as_a_failure(quick: AccountKit) -> None:
    quick.add("zoe")

    assert all(quick.sign_in() for _ in range(101))


def test_the_limit_per_account_can_be_turned_off(sqlite_database: Database) -> None:
    kit = AccountKit(sqlite_database, login_rate_limit="off")
    kit.add("zoe")
    for _ in range(101):
        kit.refusal("zoe", ANOTHER_PASSWORD)

    assert kit.sign_in()


def test_failures_are_shared_through_redis(redis_url: str) -> None:
    here, there = (LoginThrottle(redis_url, Rate(2, 900)) for _ in range(2))
    here.count_failure("user-1")
    there.count_failure("user-1")

    for throttle in (here, there):
        with pytest.raises(RateLimited) as refused:
            throttle.check("user-1")
        assert 890 < (refused.value.retry_after or 0) <= 900
    here.check("user-2")


def test_without_its_redis_a_process_counts_by_itself() -> None:
    throttle = LoginThrottle("redis://127.0.0.1:1/0", Rate(2, 900))
    throttle.count_failure("user-1")
    throttle.check("user-1")
    throttle.count_failure("user-1")

    with pytest.raises(RateLimited):
        throttle.check("user-1")
    with pytest.raises(RateLimited):
        throttle.count_failure("user-1")


def test_a_failure_is_forgotten_when_its_time_is_over() -> None:
    throttle = LoginThrottle("", Rate(1, 0))
    throttle.count_failure("user-1")

    throttle.check("user-1")
