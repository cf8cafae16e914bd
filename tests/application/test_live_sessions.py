"""Which sessions of a user are alive, and their end."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from notion_backend.application.accounts.console_sessions import ConsoleSessions
from notion_backend.application.accounts.live_sessions import LiveSessions
from notion_backend.application.actor import Actor
from notion_backend.core.clock import utcnow
from notion_backend.core.enums import Role
from notion_backend.core.errors import NotAuthenticated, NotFound, PermissionDenied
from notion_backend.data.models import Session
from notion_backend.data.unit_of_work import Database
from tests.accounts import PASSWORD, AccountKit


@pytest.fixture
def accounts(database: Database) -> AccountKit:
    return AccountKit(database)


@pytest.fixture
def console(accounts: AccountKit) -> ConsoleSessions:
    return ConsoleSessions(accounts.database, accounts.accounts.credentials, b"x" * 32)


@pytest.fixture
def sessions(accounts: AccountKit) -> LiveSessions:
    accounts.add("zoe")
    return LiveSessions(accounts.database)


def test_the_list_names_each_sign_in_that_lasts(
    accounts: AccountKit, console: ConsoleSessions, sessions: LiveSessions
) -> None:
    accounts.sign_in()
    cookie = console.sign_in("zoe", PASSWORD, "192.0.2.7")
    actor = console.visit(cookie, "192.0.2.7").actor
    found = sessions.of(actor)
    assert [(each.is_console, each.is_this) for each in found] == [(True, True), (False, False)]
    assert all(each.began_at <= each.last_seen_at <= utcnow() for each in found)


def test_what_was_idle_for_too_long_is_over_at_the_console_alone(
    accounts: AccountKit, console: ConsoleSessions, sessions: LiveSessions
) -> None:
    accounts.sign_in()
    console.sign_in("zoe", PASSWORD, None)
    with accounts.database.writing() as work:
        past = utcnow() - timedelta(minutes=31)
        work._session.execute(update(Session).values(last_seen_at=past))
        work.commit()
    found = sessions.of(accounts.actor())
    assert [(each.is_console, each.is_this) for each in found] == [(False, True), (False, False)]


def test_the_others_are_ended_and_this_one_stays(
    accounts: AccountKit, console: ConsoleSessions, sessions: LiveSessions
) -> None:
    kept = console.sign_in("zoe", PASSWORD, None)
    ended = console.sign_in("zoe", PASSWORD, None)
    actor = console.visit(kept, None).actor
    assert sessions.end_others(actor) == 1
    assert console.visit(kept, None).actor == actor
    with pytest.raises(NotAuthenticated):
        console.visit(ended, None)
    assert accounts.events()[-1][1] == "user.sessions_ended"
    before = accounts.events()
    assert sessions.end_others(actor) == 0
    assert accounts.events() == before


def test_an_administrator_signs_somebody_out_everywhere(
    accounts: AccountKit, console: ConsoleSessions, sessions: LiveSessions
) -> None:
    cookie = console.sign_in("zoe", PASSWORD, None)
    zoe = console.visit(cookie, None).actor
    admin = Actor("root", Role.ADMIN, 999)
    assert zoe.user_id is not None
    assert sessions.end_all_of(admin, zoe.user_id) == 1
    with pytest.raises(NotAuthenticated):
        console.visit(cookie, None)
    with pytest.raises(NotFound):
        sessions.end_all_of(admin, 12345)
    with pytest.raises(PermissionDenied):
        sessions.end_all_of(Actor("ed", Role.STAFF, 5), zoe.user_id)
