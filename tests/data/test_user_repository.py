import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from notion_backend.core.clock import utcnow
from notion_backend.core.enums import Role
from notion_backend.core.ids import new_row_id
from notion_backend.data.engine import create_database_engine
from notion_backend.data.models import RefreshToken, Session, User
from notion_backend.data.unit_of_work import Database, UnitOfWork

NOW = utcnow()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(create_database_engine(database_url))
    yield opened
    opened.close()


def add_user(database: Database, name: str = "zoe", **fields: object) -> User:
    user = User(
        **{
            "username": name,
            "email": f"{name}@example.com",
            "email_folded": f"{name}@example.com",
            "role": Role.STAFF,
            "disabled": False,
            "created_at": NOW,
            "hashed_password": "old",
            **fields,
        }
    )
    with database.writing() as work:
        work.users.add(user)
        work.commit()
    return user


def add_session(
    work: UnitOfWork, user: User, *, lifetime: timedelta = timedelta(days=1)
) -> Session:
    session = Session(
        id=new_row_id(),
        user_id=user.id,
        created_at=NOW,
        expires_at=NOW + lifetime,
        last_seen_at=NOW,
    )
    work.sessions.add(session)
    return session


def test_a_user_is_found_by_exactly_the_folded_name(database: Database) -> None:
    user = add_user(database, "zoë")

    with database.reading() as work:
        assert work.users.any()
        found = [work.users.by_username("zoë"), work.users.by_email("zoë@example.com")]
        assert [one and one.id for one in found] == [user.id, user.id]
        for other in ("zoe", "ZOË", "zo"):
            assert work.users.by_username(other) is None


def test_a_sign_in_is_recorded_only_for_the_password_that_was_verified(database: Database) -> None:
    user = add_user(database)
    disabled = add_user(database, "gone", disabled=True)

    with database.writing() as work:
        assert not work.users.record_sign_in(user.id, "other", at=NOW, new_hash="new")
        assert not work.users.record_sign_in(user.id, None, at=NOW, new_hash="new")
        assert not work.users.record_sign_in(disabled.id, "old", at=NOW, new_hash="new")
        assert work.users.record_sign_in(user.id, "old", at=NOW, new_hash="new")
        work.commit()

    with database.reading() as work:
        stored = work.users.get(user.id)
        assert stored is not None
        assert (stored.hashed_password, stored.last_login_at) == ("new", NOW)


def test_a_password_is_replaced_only_if_it_is_still_the_one_that_was_read(
    database: Database,
) -> None:
    user, invited = add_user(database), add_user(database, "invited", hashed_password=None)

    with database.writing() as work:
        assert not work.users.replace_password(user.id, None, "new")
        assert not work.users.replace_password(invited.id, "old", "new")
        assert work.users.replace_password(user.id, "old", "new")
        assert not work.users.replace_password(user.id, "old", "newer")
        assert work.users.replace_password(invited.id, None, "new")
        work.commit()


def test_of_many_who_replace_a_password_at_once_one_does(database: Database) -> None:
    user = add_user(database)
    start = threading.Barrier(6)
    replaced: list[bool] = []

    def replace(number: int) -> None:
        start.wait()
        with database.writing() as work:
            replaced.append(work.users.replace_password(user.id, "old", f"new {number}"))
            work.commit()

    threads = [threading.Thread(target=replace, args=[number]) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(replaced) == [False] * 5 + [True]


def test_only_administrators_who_may_sign_in_are_locked(database: Database) -> None:
    add_user(database)
    add_user(database, "former", role=Role.ADMIN, disabled=True)
    admins = [add_user(database, name, role=Role.ADMIN) for name in ("b", "a")]

    with database.writing() as work:
        assert work.users.lock_enabled_admins() == [user.id for user in admins]


def test_a_session_is_alive_until_its_end_its_revocation_or_its_users(database: Database) -> None:
    user, other = add_user(database), add_user(database, "other")
    with database.writing() as work:
        first, second, over = (
            add_session(work, user, lifetime=timedelta(days=days)) for days in (1, 1, -1)
        )
        others = add_session(work, other)
        assert work.sessions.revoke(second.id, NOW)
        assert not work.sessions.revoke(second.id, NOW)
        work.commit()

    def alive() -> list[bool]:
        with database.reading() as work:
            sessions = (first, second, over, others)
            return [work.sessions.who(one.id, NOW) is not None for one in sessions]

    assert alive() == [True, False, False, True]
    with database.writing() as work:
        work.sessions.revoke_all_of(user.id, NOW)
        work.sessions.forget_over(user.id, NOW)
        work.commit()
    assert alive() == [False, False, False, True]


def test_a_refresh_token_leads_to_its_session_and_is_used_once(database: Database) -> None:
    user = add_user(database)
    with database.writing() as work:
        session = add_session(work, user)
        work.sessions.add_refresh_token(
            RefreshToken(token_hash="a" * 64, session_id=session.id, created_at=NOW)
        )
        work.commit()

    with database.writing() as work:
        assert work.sessions.use_refresh_token("a" * 64, NOW)
        assert not work.sessions.use_refresh_token("a" * 64, NOW)
        assert not work.sessions.use_refresh_token("b" * 64, NOW)
        found = work.sessions.alive_by_refresh_token("a" * 64, NOW)
        assert found is not None
        assert (found[0].id, found[1].id) == (session.id, user.id)
        assert work.sessions.alive_by_refresh_token("b" * 64, NOW) is None
