import threading
from collections.abc import Callable

import pytest

from notion_backend.application.accounts.users import UserChange
from notion_backend.application.actor import SHELL, Actor
from notion_backend.core.enums import DeliveryKind, DeliveryStatus, Role
from notion_backend.core.errors import (
    BusinessError,
    Conflict,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    PermissionDenied,
)
from notion_backend.data.unit_of_work import Database
from tests.accounts import ADDRESS, PASSWORD, AccountKit


@pytest.fixture
def kit(database: Database) -> AccountKit:
    return AccountKit(database)


@pytest.fixture
def quick(sqlite_database: Database) -> AccountKit:
    return AccountKit(sqlite_database)


def test_a_user_with_a_password_can_sign_in_and_gets_no_mail(kit: AccountKit) -> None:
    user = kit.users.create(SHELL, "ZOË", "Zoe@EXAMPLE.com", Role.ADMIN, PASSWORD)

    assert (user.username, user.email, user.role) == ("zoë", "Zoe@example.com", Role.ADMIN)
    assert not user.disabled
    assert kit.sign_in("zoë")
    assert kit.deliveries() == []


def test_a_user_without_a_password_is_invited_in_the_same_commit(kit: AccountKit) -> None:
    kit.add("zoe", password=None)

    (invitation,) = kit.deliveries()
    assert invitation.kind is DeliveryKind.INVITATION
    assert invitation.recipient == "zoe@example.com"
    assert invitation.status is DeliveryStatus.QUEUED
    assert invitation.context == {"base_url": "https://leads.example.com"}
    assert kit.queue.take(10, 0) == [invitation.id]


@pytest.mark.parametrize(
    ("username", "code"),
    [
        ("", "required"),
        ("  ", "required"),
        ("a" * 151, "too_long"),
        ("ß" * 100, "too_long"),
        ("zoe@home", "forbidden_character"),
        ("zoe smith", "forbidden_character"),
        ("zoe\u00a0smith", "forbidden_character"),
        ("zoe\x00", "forbidden_character"),
        ("zoe\u202e", "forbidden_character"),
        ("z\u200boe", "forbidden_character"),
        ("\ud800", "forbidden_character"),
        ("Shell", "reserved"),
        ("prospect", "reserved"),
    ],
)
def test_a_username_that_breaks_a_rule_is_refused(
    quick: AccountKit, username: str, code: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        quick.users.create(SHELL, username, "zoe@example.com", Role.STAFF, PASSWORD)

    assert [(error.field, error.code) for error in refused.value.errors] == [("username", code)]


def test_all_wrong_fields_of_a_new_user_are_told_at_once(quick: AccountKit) -> None:
    with pytest.raises(InvalidInput) as refused:
        quick.users.create(SHELL, "a b", "nowhere", Role.STAFF, "short")

    assert [error.field for error in refused.value.errors] == ["username", "email", "password"]
    assert quick.snapshot() == [[], [], []]


def test_a_taken_username_or_address_is_a_conflict_however_it_is_written(kit: AccountKit) -> None:
    kit.users.create(SHELL, "straße", "Zoë@example.com", Role.STAFF)
    before = kit.snapshot()

    with pytest.raises(Conflict) as same_name:
        kit.users.create(SHELL, "STRASSE", "other@example.com", Role.STAFF)
    with pytest.raises(Conflict) as same_address:
        kit.users.create(SHELL, "other", "ZOE\u0308@example.com", Role.STAFF)

    assert same_name.value.reason == "username_taken"
    assert same_address.value.reason == "email_taken"
    assert kit.snapshot() == before


def test_users_are_listed_page_by_page(kit: AccountKit) -> None:
    names = [kit.add(f"user{number}").username for number in range(5)]

    first = kit.users.page(SHELL, None, 2)
    second = kit.users.page(SHELL, first.next_cursor, 2)
    third = kit.users.page(SHELL, second.next_cursor, 2)

    listed = [user.username for page in (first, second, third) for user in page.items]
    assert listed == names
    assert third.next_cursor is None
    with pytest.raises(InvalidInput):
        kit.users.page(SHELL, "made up", 2)


def test_a_change_is_stored_and_recorded_once(kit: AccountKit) -> None:
    user = kit.add("zoe")
    change = UserChange(email="new@example.com", role=Role.ADMIN, disabled=True)

    changed = kit.users.change(SHELL, user.id, change)
    kit.users.change(SHELL, user.id, change)

    stored = kit.user(user.id)
    for each in (changed, stored):
        assert (each.email, each.role, each.disabled) == ("new@example.com", Role.ADMIN, True)
    assert stored.email_folded == "new@example.com"
    assert kit.events() == [
        ("shell", "user.email_changed", f"user {user.id}"),
        ("shell", "user.role_changed", f"user {user.id}: staff to admin"),
        ("shell", "user.disabled", f"user {user.id}"),
    ]
    kit.users.set_disabled(SHELL, "ZOE", disabled=False)
    assert kit.events()[-1] == ("shell", "user.enabled", f"user {user.id}")


def test_a_change_that_is_refused_changes_nothing(kit: AccountKit) -> None:
    user = kit.add("zoe")
    kit.add("other")
    before = kit.snapshot()

    for change, error in (
        (UserChange(email="nowhere", disabled=True), InvalidInput),
        (UserChange(email="OTHER@example.com", disabled=True), Conflict),
    ):
        with pytest.raises(error):
            kit.users.change(SHELL, user.id, change)
    with pytest.raises(NotFound):
        kit.users.change(SHELL, user.id + 1000, UserChange(disabled=True))

    assert kit.snapshot() == before


@pytest.mark.parametrize("change", [UserChange(disabled=True), UserChange(role=Role.STAFF)])
def test_the_last_enabled_administrator_stays_one(kit: AccountKit, change: UserChange) -> None:
    kit.add("staff")
    last = kit.add("boss", Role.ADMIN)
    off = kit.add("former", Role.ADMIN)
    kit.users.set_disabled(SHELL, "former", disabled=True)
    before = kit.snapshot()

    with pytest.raises(Conflict) as refused:
        kit.users.change(SHELL, last.id, change)

    assert refused.value.reason == "last_administrator"
    assert kit.snapshot() == before
    kit.users.change(SHELL, off.id, change)
    kit.users.change(SHELL, last.id, UserChange(email="boss@new.example", disabled=False))


@pytest.mark.parametrize("change", [UserChange(disabled=True), UserChange(role=Role.STAFF)])
def test_two_administrators_who_remove_each_other_at_once_leave_one(
    kit: AccountKit, change: UserChange
) -> None:
    admins = [kit.add(f"boss{number}", Role.ADMIN) for number in range(4)]
    outcomes = at_once(
        [lambda user=user: kit.users.change(SHELL, user.id, change) for user in admins]
    )

    refused = [outcome for outcome in outcomes if isinstance(outcome, BusinessError)]
    assert [error.reason for error in refused] == ["last_administrator"]
    left = [kit.user(user.id) for user in admins]
    assert sum(user.role is Role.ADMIN and not user.disabled for user in left) == 1


def test_of_many_who_create_the_same_user_at_once_one_does(kit: AccountKit) -> None:
    outcomes = at_once([lambda: kit.add("zoe", password=None)] * 6)

    refused = [outcome for outcome in outcomes if isinstance(outcome, BusinessError)]
    assert len(refused) == 5
    # Both are taken; which one is told is the database's choice.
    assert {error.reason for error in refused} <= {"username_taken", "email_taken"}
    assert len(kit.deliveries()) == 1


def test_staff_may_not_do_what_administrators_do_and_leave_no_trace(kit: AccountKit) -> None:
    user = kit.add("zoe")
    staff = Actor("zoe", Role.STAFF, user.id, address=ADDRESS)
    before = kit.snapshot()
    attempts: list[Callable[[], object]] = [
        lambda: kit.users.page(staff),
        lambda: kit.users.get(staff, user.id),
        lambda: kit.users.named(staff, "zoe"),
        lambda: kit.users.create(staff, "new", "new@example.com", Role.ADMIN),
        lambda: kit.users.change(staff, user.id, UserChange(role=Role.ADMIN)),
        lambda: kit.users.set_disabled(staff, "zoe", disabled=True),
        lambda: kit.passwords.set_for(staff, "zoe", PASSWORD),
    ]

    for attempt in attempts:
        with pytest.raises(PermissionDenied):
            attempt()

    assert kit.snapshot() == before
    assert kit.users.me(staff).username == "zoe"


def test_an_event_names_the_administrator_and_the_address(quick: AccountKit) -> None:
    quick.add("boss", Role.ADMIN)
    user = quick.add("zoe")

    quick.users.change(quick.actor("boss"), user.id, UserChange(disabled=True))

    with quick.database.engine.connect() as connection:
        row = connection.exec_driver_sql(
            "SELECT actor, address FROM events WHERE action = 'user.disabled'"
        ).one()
    assert tuple(row) == ("boss", ADDRESS)


def test_a_user_who_does_not_exist_is_not_found(quick: AccountKit) -> None:
    for attempt in (
        lambda: quick.users.get(SHELL, 2**63 - 1),
        lambda: quick.users.named(SHELL, "nobody"),
        lambda: quick.users.me(SHELL),
        lambda: quick.users.set_disabled(SHELL, "nobody", disabled=True),
        lambda: quick.passwords.set_for(SHELL, "nobody", PASSWORD),
    ):
        with pytest.raises(NotFound):
            attempt()


def test_disabling_somebody_else_leaves_my_session(quick: AccountKit) -> None:
    quick.add("zoe")
    quick.add("other")
    mine, theirs = quick.sign_in("zoe"), quick.sign_in("other")

    quick.users.set_disabled(SHELL, "other", disabled=True)

    assert quick.auth.authenticate(mine.access_token, ADDRESS)
    with pytest.raises(NotAuthenticated):
        quick.auth.authenticate(theirs.access_token, ADDRESS)


def at_once(actions: list[Callable[[], object]]) -> list[object]:
    """Run these in threads that start together; return what each returned or raised."""
    start = threading.Barrier(len(actions))
    outcomes: list[object] = []

    def run(action: Callable[[], object]) -> None:
        start.wait()
        try:
            outcomes.append(action())
        except BusinessError as error:
            outcomes.append(error)

    threads = [threading.Thread(target=run, args=[action]) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
