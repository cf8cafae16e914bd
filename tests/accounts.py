"""Users and the services around them, on a database of the test's, with quick password hashes."""

from collections.abc import Sequence

import jwt
import pytest
from sqlalchemy import select

from notion_backend.application.accounts.accounts import Accounts
from notion_backend.application.accounts.auth import TokenPair
from notion_backend.application.actor import SHELL, Actor
from notion_backend.core.config import Settings
from notion_backend.core.enums import Role
from notion_backend.core.errors import NotAuthenticated
from notion_backend.core.password_hashing import PasswordHasher
from notion_backend.core.secret_key import derive_key
from notion_backend.data.models import Delivery, Event, User
from notion_backend.data.unit_of_work import Database
from notion_backend.mail.queue import MemoryQueue

SECRET = b"a secret of the tests that is long enough"
PASSWORD = "violet harbour 42 lanterns"
ANOTHER_PASSWORD = "seven quiet ferries at dawn"
ADDRESS = "203.0.113.7"


QUICK_HASHES = {"argon2_memory_kib": 1024, "argon2_passes": 1, "argon2_lanes": 1}
"""Settings of a service whose sign-ins cost a test next to nothing."""


def quick_hasher() -> PasswordHasher:
    return PasswordHasher(time_cost=1, memory_kibibytes=8, lanes=1)


class AccountKit:
    """Services over one database, and what tests do with them again and again."""

    def __init__(
        self, database: Database, hasher: PasswordHasher | None = None, **settings: object
    ) -> None:
        self.database = database
        self.settings = Settings(**{"public_url": "https://leads.example.com", **settings})
        self.queue = MemoryQueue()
        self.accounts = Accounts.build(
            database, self.queue, self.settings, SECRET, hasher=hasher or quick_hasher()
        )
        self.auth = self.accounts.auth
        self.passwords = self.accounts.passwords
        self.users = self.accounts.users

    def add(
        self, username: str = "zoe", role: Role = Role.STAFF, password: str | None = PASSWORD
    ) -> User:
        return self.users.create(SHELL, username, f"{username}@example.com", role, password)

    def sign_in(self, login: str = "zoe", password: str = PASSWORD) -> TokenPair:
        return self.auth.sign_in(login, password, ADDRESS)

    def refusal(self, login: str, password: str) -> tuple[str, str]:
        """Fail to sign in; return the code and the sentence that are told."""
        with pytest.raises(NotAuthenticated) as refused:
            self.auth.sign_in(login, password, ADDRESS)
        return refused.value.reason, refused.value.detail

    def actor(self, username: str = "zoe") -> Actor:
        return self.auth.authenticate(self.sign_in(username).access_token, ADDRESS)

    def user(self, user_id: int) -> User:
        with self.database.reading() as work:
            user = work.users.get(user_id)
        assert user is not None
        return user

    def events(self) -> list[tuple[str, str, str]]:
        """Actor, action and detail of every event but those of users that were created."""
        return [
            (event.actor, event.action, event.detail)
            for event in self._all(Event)
            if event.action != "user.created"
        ]

    def deliveries(self) -> Sequence[Delivery]:
        return self._all(Delivery)

    def snapshot(self) -> list[object]:
        """Everything that a refused request must leave as it was."""
        return [
            [tuple(vars(row)[column.name] for column in model.__table__.columns) for row in rows]
            for model, rows in ((model, self._all(model)) for model in (User, Event, Delivery))
        ]

    def _all(self, model: type) -> list:
        with self.database.engine.connect() as connection:
            columns = model.__table__.columns
            rows = connection.execute(select(columns).order_by(columns.id)).all()
        return [model(**row._mapping) for row in rows]


def forged(claims: dict[str, object], headers: dict[str, object] | None = None) -> str:
    """A token signed with the very key of the service."""
    key = derive_key(SECRET, "access-token")
    return jwt.encode(claims, key, algorithm="HS256", headers={"typ": "at+jwt", **(headers or {})})


def claims_of(token: str) -> dict[str, object]:
    return jwt.decode(token, options={"verify_signature": False})
