import base64
import json
from datetime import timedelta

import pytest

from notion_backend.application.accounts.password_mails import PasswordMails
from notion_backend.application.accounts.password_tokens import PasswordTokens
from notion_backend.application.accounts.users import UserChange
from notion_backend.application.actor import SHELL
from notion_backend.application.delivery.leases import Leases
from notion_backend.core.clock import utcnow
from notion_backend.core.enums import DeliveryKind, DeliveryStatus, Role
from notion_backend.core.errors import InvalidInput, NotAuthenticated, RateLimited
from notion_backend.data.models import Delivery, User
from notion_backend.data.unit_of_work import Database
from tests.accounts import ADDRESS, ANOTHER_PASSWORD, PASSWORD, SECRET, AccountKit

RESET = DeliveryKind.PASSWORD_RESET


@pytest.fixture
def kit(database: Database) -> AccountKit:
    return AccountKit(database)


@pytest.fixture
def quick(sqlite_database: Database) -> AccountKit:
    return AccountKit(sqlite_database)


def context_of(kit: AccountKit, delivery: Delivery) -> dict[str, str] | None:
    with kit.database.reading() as work:
        context = PasswordMails(SECRET).context_for(work, delivery)
    return None if context is None else dict(context)


def token_in(context: dict[str, str] | None) -> str:
    assert context is not None
    page, token = context["link"].split("#token=")
    assert page == "https://leads.example.com/console/password"
    return token


def reset_token(kit: AccountKit, email: str = "zoe@example.com") -> str:
    kit.passwords.request_reset(email)
    return token_in(context_of(kit, kit.deliveries()[-1]))


def codes(kit: AccountKit, token: str, password: str = ANOTHER_PASSWORD) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInput) as refused:
        kit.passwords.confirm_reset(token, password, ADDRESS)
    return [(error.field, error.code) for error in refused.value.errors]


INVALID = [("token", "invalid_token")]


def test_changing_the_password_ends_every_session_this_one_too(kit: AccountKit) -> None:
    user = kit.add("zoe")
    pairs = [kit.sign_in(), kit.sign_in()]
    actor = kit.auth.authenticate(pairs[0].access_token, ADDRESS)

    kit.passwords.change(actor, PASSWORD, ANOTHER_PASSWORD)

    for pair in pairs:
        with pytest.raises(NotAuthenticated):
            kit.auth.authenticate(pair.access_token, ADDRESS)
        with pytest.raises(NotAuthenticated):
            kit.auth.refresh(pair.refresh_token, ADDRESS)
    with pytest.raises(NotAuthenticated):
        kit.sign_in("zoe", PASSWORD)
    assert kit.sign_in("zoe", ANOTHER_PASSWORD)
    assert ("zoe", "user.password_changed", f"user {user.id}") in kit.events()


def test_the_present_password_must_be_known_to_change_it(quick: AccountKit) -> None:
    quick.add("zoe")
    pair = quick.sign_in()
    actor = quick.auth.authenticate(pair.access_token, ADDRESS)

    with pytest.raises(InvalidInput) as refused:
        quick.passwords.change(actor, "not my password", ANOTHER_PASSWORD)

    assert [(error.field, error.code) for error in refused.value.errors] == [
        ("current_password", "invalid_credentials")
    ]
    assert quick.auth.authenticate(pair.access_token, ADDRESS)
    assert quick.sign_in("zoe", PASSWORD)


def test_guessing_the_present_password_is_throttled_with_the_sign_ins(quick: AccountKit) -> None:
    quick.add("zoe")
    actor = quick.actor()
    for _ in range(50):
        with pytest.raises(InvalidInput):
            quick.passwords.change(actor, "not my password", ANOTHER_PASSWORD)
        with pytest.raises(NotAuthenticated):
            quick.sign_in("zoe", "not my password")

    with pytest.raises(RateLimited):
        quick.passwords.change(actor, PASSWORD, ANOTHER_PASSWORD)


def test_a_new_password_that_breaks_a_rule_is_refused_before_anything_is_hashed(
    quick: AccountKit,
) -> None:
    quick.add("zoe")
    actor = quick.actor()

    for password in ("short", "zoe zoe zoe zoe zoe", "x" * 1_000_000):
        with pytest.raises(InvalidInput) as refused:
            quick.passwords.change(actor, "not my password", password)
        assert [error.field for error in refused.value.errors] == ["new_password"]


def test_a_session_that_began_with_the_old_password_while_it_changed_does_not_live(
    kit: AccountKit,
) -> None:
    user = kit.add("zoe")
    verified = kit.accounts.credentials.verify("zoe", PASSWORD, ADDRESS)
    kit.passwords.set_for(SHELL, "zoe", ANOTHER_PASSWORD)

    with kit.database.writing() as work:
        assert not work.users.record_sign_in(
            user.id, verified.verified_hash, at=utcnow(), new_hash=None
        )


def test_asking_for_a_reset_stores_one_mail_whatever_the_address(kit: AccountKit) -> None:
    kit.add("zoe")
    for email in ("Zoe@Example.COM", "nobody@example.com"):
        kit.passwords.request_reset(email)

    mails = kit.deliveries()
    assert [(mail.kind, mail.status is DeliveryStatus.QUEUED, mail.context) for mail in mails] == [
        (RESET, True, {"base_url": "https://leads.example.com"})
    ] * 2
    assert sorted(mail.recipient_folded for mail in mails) == [
        "nobody@example.com",
        "zoe@example.com",
    ]
    assert sorted(kit.queue.take(10, 0)) == sorted(mail.id for mail in mails)


@pytest.mark.parametrize(
    "email", ["", "nowhere", "a@b.c\r\nBcc: x@y.z", "\x00@example.com", "\ud800"]
)
def test_text_that_is_no_address_is_for_nobody(quick: AccountKit, email: str) -> None:
    quick.passwords.request_reset(email)

    assert quick.deliveries() == []


def test_the_link_of_a_reset_sets_the_password_once(kit: AccountKit) -> None:
    user = kit.add("zoe")
    pair = kit.sign_in()
    token = reset_token(kit)

    kit.passwords.confirm_reset(token, ANOTHER_PASSWORD, ADDRESS)

    assert kit.sign_in("zoe", ANOTHER_PASSWORD)
    with pytest.raises(NotAuthenticated):
        kit.auth.authenticate(pair.access_token, ADDRESS)
    assert ("zoe", "user.password_reset", f"user {user.id}") in kit.events()
    assert codes(kit, token, "a third password for zoe") == INVALID


@pytest.mark.parametrize(
    "typed",
    [
        "kiss@straße.example",
        "kiß@strasse.example",
        "ki\u017fs@strasse.example",
        "KISS@Strasse.Example",
    ],
)
def test_the_link_of_a_reset_goes_to_the_stored_address_however_it_was_typed(
    quick: AccountKit, typed: str
) -> None:
    quick.users.create(SHELL, "kiss", "kiss@strasse.example", Role.STAFF, PASSWORD)
    quick.passwords.request_reset(typed)
    leases = Leases(quick.database, PasswordMails(SECRET))

    (lease,) = leases.claim(10)
    mail = leases.begin(lease)

    assert mail is not None
    assert mail.recipient == "kiss@strasse.example"
    assert [one.recipient for one in quick.deliveries()] == ["kiss@strasse.example"]


def test_an_invited_user_chooses_the_first_password(kit: AccountKit) -> None:
    kit.add("zoe", password=None)
    (invitation,) = kit.deliveries()
    context = context_of(kit, invitation)
    assert context is not None
    assert context["username"] == "zoe"
    assert context_of(kit, invitation) == context

    kit.passwords.confirm_reset(token_in(context), ANOTHER_PASSWORD, ADDRESS)

    assert kit.sign_in("zoe", ANOTHER_PASSWORD)
    assert context_of(kit, invitation) is None


def test_a_mail_about_a_password_is_for_enabled_users_only(kit: AccountKit) -> None:
    kit.add("zoe")
    kit.passwords.request_reset("zoe@example.com")
    kit.passwords.request_reset("nobody@example.com")
    found = {mail.recipient: context_of(kit, mail) for mail in kit.deliveries()}
    assert found["zoe@example.com"] is not None
    assert found["nobody@example.com"] is None

    kit.users.set_disabled(SHELL, "zoe", disabled=True)

    assert [context_of(kit, mail) for mail in kit.deliveries()] == [None, None]


def test_other_mails_show_what_their_row_holds(quick: AccountKit) -> None:
    mail = Delivery(kind=DeliveryKind.STAFF_NOTIFICATION, context={"reference": "7Q4M"})

    assert context_of(quick, mail) == {"reference": "7Q4M"}


def test_a_token_ends_with_what_it_was_made_for(quick: AccountKit) -> None:
    user = quick.add("zoe")
    token = reset_token(quick)

    quick.users.change(SHELL, user.id, UserChange(email="new@example.com"))
    assert codes(quick, token) == INVALID

    quick.users.change(SHELL, user.id, UserChange(email="zoe@example.com"))
    quick.users.set_disabled(SHELL, "zoe", disabled=True)
    assert codes(quick, token) == INVALID

    quick.users.set_disabled(SHELL, "zoe", disabled=False)
    assert codes(quick, token, "short") == [("password", "too_short")]
    assert codes(quick, token, "zoe zoe zoe zoe zoe") == [("password", "too_common")]
    quick.passwords.confirm_reset(token, ANOTHER_PASSWORD, ADDRESS)


@pytest.mark.parametrize(
    ("kind", "lifetime"),
    [(RESET, timedelta(hours=1)), (DeliveryKind.INVITATION, timedelta(days=7))],
)
def test_a_token_ends_in_time(quick: AccountKit, kind: DeliveryKind, lifetime: timedelta) -> None:
    tokens, user = PasswordTokens(SECRET), quick.add("zoe")
    made_at = utcnow() - lifetime

    ended, end = tokens.issue(user, kind, made_at)
    alive, _ = tokens.issue(user, kind, made_at + timedelta(seconds=60))

    assert timedelta(0) <= made_at + lifetime - end < timedelta(seconds=1)
    assert codes(quick, ended) == INVALID
    quick.passwords.confirm_reset(alive, ANOTHER_PASSWORD, ADDRESS)


def test_a_token_that_was_changed_or_made_up_is_refused(quick: AccountKit) -> None:
    user, other = quick.add("zoe"), quick.add("other")
    token = reset_token(quick)
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    seal, body = raw[:32], json.loads(raw[32:])

    def with_body(changed: object) -> str:
        return base64.urlsafe_b64encode(seal + json.dumps(changed).encode()).decode().rstrip("=")

    made_up = [
        "",
        "x",
        "é" * 40,
        "\ud800",
        "A" * 10_000,
        token[:-4],
        with_body([other.id, *body[1:]]),
        with_body([user.id, "invitation", body[2]]),
        with_body([user.id, body[1], body[2] + 3600]),
        with_body([user.id, "staff_notification", body[2]]),
        with_body([2**63, *body[1:]]),
        with_body([-1, *body[1:]]),
        with_body([1.5, *body[1:]]),
        with_body([user.id, body[1], 10**30]),
        with_body([user.id, body[1], "soon"]),
        with_body({}),
        with_body(1),
        base64.urlsafe_b64encode(seal + b"[" * 300).decode(),
        base64.urlsafe_b64encode(seal + b"\xff").decode(),
    ]
    for one in made_up:
        assert codes(quick, one) == INVALID
    assert codes(AccountKit(quick.database), other_secret(user)) == INVALID


def other_secret(user: User) -> str:
    return PasswordTokens(b"another secret that is long enough too").issue(user, RESET, utcnow())[0]


def test_an_access_token_is_no_password_token_nor_the_other_way_round(quick: AccountKit) -> None:
    quick.add("zoe")
    pair = quick.sign_in()

    assert codes(quick, pair.access_token) == INVALID
    assert codes(quick, pair.refresh_token) == INVALID
    with pytest.raises(NotAuthenticated):
        quick.auth.authenticate(reset_token(quick), ADDRESS)


def test_the_shell_sets_a_password_and_ends_the_sessions(kit: AccountKit) -> None:
    user = kit.add("zoe")
    pair = kit.sign_in()

    kit.passwords.set_for(SHELL, "ZOE", ANOTHER_PASSWORD)

    with pytest.raises(NotAuthenticated):
        kit.auth.authenticate(pair.access_token, ADDRESS)
    assert kit.sign_in("zoe", ANOTHER_PASSWORD)
    assert ("shell", "user.password_set", f"user {user.id}") in kit.events()
    with pytest.raises(InvalidInput):
        kit.passwords.set_for(SHELL, "zoe", "short")
