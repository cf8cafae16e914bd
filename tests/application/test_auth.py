import threading
import time
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import event, update

from notion_backend.application.accounts.users import UserChange
from notion_backend.application.actor import SHELL
from notion_backend.core.clock import utcnow
from notion_backend.core.enums import Role
from notion_backend.core.errors import NotAuthenticated
from notion_backend.core.password_hashing import PasswordHasher
from notion_backend.data.models import Session
from notion_backend.data.unit_of_work import Database
from tests.accounts import ADDRESS, ANOTHER_PASSWORD, PASSWORD, AccountKit, claims_of


@pytest.fixture
def kit(database: Database) -> AccountKit:
    return AccountKit(database)


@pytest.fixture
def quick(sqlite_database: Database) -> AccountKit:
    return AccountKit(sqlite_database)


def test_a_user_signs_in_and_is_known_by_the_access_token(kit: AccountKit) -> None:
    user = kit.add("zoe", Role.ADMIN)

    pair = kit.sign_in()
    actor = kit.auth.authenticate(pair.access_token, ADDRESS)

    assert pair.expires_in == 15 * 60
    assert (actor.username, actor.role, actor.user_id, actor.address) == (
        "zoe",
        Role.ADMIN,
        user.id,
        ADDRESS,
    )
    assert kit.user(user.id).last_login_at is not None
    assert kit.events() == [("zoe", "auth.signed_in", f"user {user.id}")]


@pytest.mark.parametrize(
    "login", ["zoë", "ZOË", "ZOE\u0308", " zoë ", "zoë@example.com", "ZOË@EXAMPLE.COM"]
)
def test_a_login_is_one_account_however_it_is_written(quick: AccountKit, login: str) -> None:
    quick.add("Zoë")

    assert quick.sign_in(login).access_token


def test_every_failure_is_told_alike_and_recorded_without_what_was_typed(kit: AccountKit) -> None:
    kit.add("zoe")
    kit.add("invited", password=None)
    kit.add("gone")
    kit.users.set_disabled(SHELL, "gone", disabled=True)

    answers = {
        kit.refusal("zoe", ANOTHER_PASSWORD),
        kit.refusal("nobody", PASSWORD),
        kit.refusal("nobody@example.com", PASSWORD),
        kit.refusal("invited", PASSWORD),
        kit.refusal("gone", PASSWORD),
        kit.refusal("zoe\x00", PASSWORD),
        kit.refusal("zoe" * 1000, PASSWORD),
        kit.refusal("zoe", PASSWORD + "\x00"),
        kit.refusal("\ud800", "x" * 100_000),
    }

    assert [code for code, _ in answers] == ["invalid_credentials"]
    failures = [event for event in kit.events() if event[1] == "auth.failed"]
    assert len(failures) == 9
    assert {actor for actor, _, _ in failures} == {"anonymous"}
    assert not any("nobody" in detail or "zoe" in detail for _, _, detail in failures)


def test_every_failure_costs_the_same_statements_and_hashes(quick: AccountKit) -> None:
    quick.add("zoe")
    quick.add("invited", password=None)
    quick.add("gone")
    quick.users.set_disabled(SHELL, "gone", disabled=True)
    statements: list[str] = []
    event.listen(
        quick.database.engine,
        "before_cursor_execute",
        lambda *executed: statements.append(executed[2].split()[0]),
    )
    costs = set()

    for login in ("zoe", "nobody", "invited", "gone"):
        statements.clear()
        quick.refusal(login, ANOTHER_PASSWORD)
        costs.add(tuple(statements))

    assert costs == {("SELECT", "BEGIN", "INSERT")}


def test_a_failure_takes_a_hash_also_for_who_does_not_exist(sqlite_database: Database) -> None:
    slow = PasswordHasher(time_cost=4, memory_kibibytes=65536, lanes=1)
    kit = AccountKit(sqlite_database, hasher=slow)
    kit.add("zoe")
    kit.add("gone")
    kit.users.set_disabled(SHELL, "gone", disabled=True)
    spent = {}

    for login in ("zoe", "nobody", "gone"):
        begin = time.thread_time()
        kit.refusal(login, ANOTHER_PASSWORD)
        spent[login] = time.thread_time() - begin

    assert min(spent.values()) > 0.5 * max(spent.values())


def test_a_disabled_user_is_refused_on_the_next_request(kit: AccountKit) -> None:
    kit.add("zoe")
    pair = kit.sign_in()

    kit.users.set_disabled(SHELL, "zoe", disabled=True)

    with pytest.raises(NotAuthenticated):
        kit.auth.authenticate(pair.access_token, ADDRESS)
    with pytest.raises(NotAuthenticated):
        kit.auth.refresh(pair.refresh_token, ADDRESS)
    kit.users.set_disabled(SHELL, "zoe", disabled=False)
    with pytest.raises(NotAuthenticated):
        kit.auth.authenticate(pair.access_token, ADDRESS)


def test_a_new_role_counts_on_the_next_request(quick: AccountKit) -> None:
    user = quick.add("zoe")
    pair = quick.sign_in()

    quick.users.change(SHELL, user.id, UserChange(role=Role.ADMIN))

    assert quick.auth.authenticate(pair.access_token, ADDRESS).role is Role.ADMIN


def test_signing_out_ends_this_session_alone(kit: AccountKit) -> None:
    kit.add("zoe")
    mine, other = kit.sign_in(), kit.sign_in()

    kit.auth.sign_out(kit.auth.authenticate(mine.access_token, ADDRESS))

    with pytest.raises(NotAuthenticated):
        kit.auth.authenticate(mine.access_token, ADDRESS)
    with pytest.raises(NotAuthenticated):
        kit.auth.refresh(mine.refresh_token, ADDRESS)
    assert kit.auth.authenticate(other.access_token, ADDRESS)
    assert kit.events()[-1][:2] == ("zoe", "auth.signed_out")


def test_a_refresh_token_works_once_and_its_reuse_revokes_the_family(kit: AccountKit) -> None:
    user = kit.add("zoe")
    first, unrelated = kit.sign_in(), kit.sign_in()

    second = kit.auth.refresh(first.refresh_token, ADDRESS)
    assert kit.auth.authenticate(second.access_token, ADDRESS)
    with pytest.raises(NotAuthenticated) as refused:
        kit.auth.refresh(first.refresh_token, ADDRESS)

    assert refused.value.reason == "invalid_credentials"
    for token in (first.access_token, second.access_token):
        with pytest.raises(NotAuthenticated):
            kit.auth.authenticate(token, ADDRESS)
    with pytest.raises(NotAuthenticated):
        kit.auth.refresh(second.refresh_token, ADDRESS)
    assert kit.auth.authenticate(unrelated.access_token, ADDRESS)
    assert kit.events()[-1] == ("anonymous", "auth.refresh_token_reused", f"user {user.id}")


def test_of_twenty_refreshes_at_once_one_at_most_gets_a_successor(kit: AccountKit) -> None:
    kit.add("zoe")
    pair = kit.sign_in()
    start = threading.Barrier(20)
    outcomes: list[object] = []

    def refresh() -> None:
        start.wait()
        try:
            outcomes.append(kit.auth.refresh(pair.refresh_token, ADDRESS))
        except NotAuthenticated as error:
            outcomes.append(error)

    threads = [threading.Thread(target=refresh) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(outcomes) == 20
    assert sum(not isinstance(outcome, NotAuthenticated) for outcome in outcomes) == 1
    assert [event[1] for event in kit.events()].count("auth.refresh_token_reused") == 1
    with pytest.raises(NotAuthenticated):
        kit.auth.authenticate(pair.access_token, ADDRESS)


def test_a_family_ends_when_it_said_it_would_however_often_it_is_renewed(kit: AccountKit) -> None:
    kit.add("zoe")
    pair = kit.sign_in()
    session_id = claims_of(pair.access_token)["sid"]
    with kit.database.reading() as work:
        found = work.sessions.alive_by_refresh_token(
            sha256(pair.refresh_token.encode()).hexdigest(), utcnow()
        )
        assert found is not None
        end = found[0].expires_at
    assert timedelta(days=13, hours=23) < end - utcnow() < timedelta(days=14)

    renewed = kit.auth.refresh(pair.refresh_token, ADDRESS)

    assert claims_of(renewed.access_token)["sid"] == session_id
    with kit.database.engine.begin() as connection:
        connection.execute(update(Session).values(expires_at=utcnow()))
    with pytest.raises(NotAuthenticated):
        kit.auth.refresh(renewed.refresh_token, ADDRESS)
    with pytest.raises(NotAuthenticated):
        kit.auth.authenticate(renewed.access_token, ADDRESS)


def test_sessions_that_are_over_are_forgotten_at_the_next_sign_in(quick: AccountKit) -> None:
    quick.add("zoe")
    quick.sign_in()
    with quick.database.engine.begin() as connection:
        connection.execute(update(Session).values(expires_at=utcnow()))

    quick.sign_in()

    with quick.database.engine.connect() as connection:
        for table in ("sessions", "refresh_tokens"):
            assert connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar() == 1


def test_refresh_tokens_are_stored_only_hashed(quick: AccountKit) -> None:
    quick.add("zoe")
    token = quick.sign_in().refresh_token

    with quick.database.engine.connect() as connection:
        stored = str(connection.exec_driver_sql("SELECT * FROM refresh_tokens").all())

    assert token not in stored
    assert len(token) >= 43
