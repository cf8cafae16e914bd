import json

import pytest

from tests.cli.command import Command, Outcome

PASSWORD = "correct horse battery staple"


@pytest.fixture
def with_bob(notion: Command) -> Command:
    """A shell where the administrator bob exists."""
    done = create(notion, "Bob", "--role", "admin")
    assert (done.status, done.out, done.err) == (0, "Created bob, role admin.\n", "")
    return notion


def test_a_created_user_is_listed_as_columns_and_as_json(with_bob: Command) -> None:
    names, values = (line.split("\t") for line in with_bob("users", "list").out.splitlines())
    bob = dict(zip(names, values, strict=True))
    assert (bob["username"], bob["email"], bob["role"]) == ("bob", "bob@example.com", "admin")
    listed = json.loads(with_bob("users", "list", "--json").out)
    assert listed["username"] == "bob"
    assert listed["disabled"] is False
    assert listed["last_login_at"] is None
    assert listed["created_at"].endswith("Z")


def test_what_breaks_a_rule_is_one_line(with_bob: Command) -> None:
    taken = create(with_bob, "BOB")
    assert taken.status == 1
    assert "taken" in taken.complaint
    wrong = with_bob(
        "users", "create", "eve@x", "--email", "none", "--password-stdin", stdin="short"
    )
    assert wrong.status == 1
    for word in ("@", "e-mail", "15 characters"):
        assert word in wrong.complaint


def test_the_last_administrator_is_not_disabled(with_bob: Command) -> None:
    refused = with_bob("users", "disable", "bob")
    assert refused.status == 1
    assert "last administrator" in refused.complaint
    assert json.loads(with_bob("users", "list", "--json").out)["disabled"] is False


def test_a_user_is_disabled_and_enabled_by_any_spelling(with_bob: Command) -> None:
    assert create(with_bob, "eve", "--role", "staff").status == 0
    assert with_bob("users", "disable", "EVE").out == "Disabled eve.\n"
    assert is_disabled(with_bob, "eve")
    assert with_bob("users", "enable", "Eve").out == "Enabled eve.\n"
    assert not is_disabled(with_bob, "eve")


def test_a_user_who_is_not_there_is_one_line(notion: Command) -> None:
    assert notion("migrate").status == 0
    for arguments in (("disable", "nobody"), ("set-password", "nobody", "--password-stdin")):
        done = notion("users", *arguments, stdin=PASSWORD)
        assert done.status == 1
        assert "no" in done.complaint


def test_without_a_terminal_the_password_must_come_on_standard_input(notion: Command) -> None:
    done = notion("users", "create", "bob", "--email", "bob@example.com", stdin=PASSWORD)
    assert done.status == 2
    assert "--password-stdin" in done.complaint
    assert not notion.data_dir.exists()


def test_a_set_password_is_neither_shown_nor_logged(with_bob: Command) -> None:
    secret = "another horse another staple"
    done = with_bob(
        "users", "set-password", "bob", "--password-stdin", stdin=secret, LOG_LEVEL="debug"
    )
    assert done.status == 0
    assert secret not in done.out + done.err


def create(notion: Command, username: str, *options: str) -> Outcome:
    email = f"{username.lower()}@example.com"
    arguments = ("users", "create", username, "--email", email, "--password-stdin", *options)
    return notion(*arguments, stdin=f"{PASSWORD}\n")


def is_disabled(notion: Command, username: str) -> bool:
    users = map(json.loads, notion("users", "list", "--json").out.splitlines())
    return next(user["disabled"] for user in users if user["username"] == username)
