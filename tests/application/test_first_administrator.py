import threading

import pytest

from notion_backend.application.accounts.first_administrator import ensure_first_administrator
from notion_backend.application.actor import SHELL
from notion_backend.core.config import Settings
from notion_backend.core.enums import Role
from notion_backend.core.errors import ConfigurationError
from notion_backend.data.unit_of_work import Database
from tests.accounts import PASSWORD, QUICK_HASHES, AccountKit


def test_the_first_start_creates_an_administrator_with_a_random_password(
    database: Database,
) -> None:
    password = ensure_first_administrator(database, Settings(**QUICK_HASHES))

    assert password is not None
    assert len(password) >= 20
    kit = AccountKit(database)
    (admin,) = kit.users.page(SHELL).items
    assert (admin.username, admin.email, admin.role) == (
        "admin",
        "admin@localhost.localdomain",
        Role.ADMIN,
    )
    assert kit.sign_in("admin", password)
    assert ensure_first_administrator(database, Settings(**QUICK_HASHES)) is None
    assert len(kit.users.page(SHELL).items) == 1


def test_a_given_password_is_used_and_not_returned(sqlite_database: Database) -> None:
    settings = Settings(
        **QUICK_HASHES,
        admin_username="Boss",
        admin_email="The Boss <boss@example.com>",
        admin_password=PASSWORD,
    )

    assert ensure_first_administrator(sqlite_database, settings) is None

    kit = AccountKit(sqlite_database)
    assert kit.sign_in("boss", PASSWORD)
    assert kit.sign_in("boss@example.com", PASSWORD)


def test_nobody_is_created_beside_others(sqlite_database: Database) -> None:
    kit = AccountKit(sqlite_database)
    kit.add("zoe")

    assert ensure_first_administrator(sqlite_database, Settings(**QUICK_HASHES)) is None
    assert len(kit.users.page(SHELL).items) == 1


def test_of_many_processes_that_start_at_once_one_creates_it(database: Database) -> None:
    start = threading.Barrier(4)
    passwords: list[str | None] = []

    def begin() -> None:
        start.wait()
        passwords.append(ensure_first_administrator(database, Settings(**QUICK_HASHES)))

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (password,) = (one for one in passwords if one is not None)
    assert len(passwords) == 4
    assert AccountKit(database).sign_in("admin", password)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("ADMIN_PASSWORD", "short"),
        ("ADMIN_PASSWORD", "admin admin admin"),
        ("ADMIN_USERNAME", "ad min"),
        ("ADMIN_USERNAME", "shell"),
        ("ADMIN_EMAIL", "admin@[127.0.0.1]"),
    ],
)
def test_a_setting_that_breaks_a_rule_stops_the_start_by_its_name(
    sqlite_database: Database, setting: str, value: str
) -> None:
    settings = Settings.model_construct(
        **{**Settings(**QUICK_HASHES).model_dump(), setting.lower(): value}
    )
    if setting == "ADMIN_PASSWORD":
        settings = Settings(admin_password=value)

    with pytest.raises(ConfigurationError, match=f"^{setting}: "):
        ensure_first_administrator(sqlite_database, settings)

    assert AccountKit(sqlite_database).snapshot() == [[], [], []]
