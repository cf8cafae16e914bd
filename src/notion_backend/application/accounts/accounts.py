"""Users, sign-ins and passwords, put together from the settings."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from notion_backend.application.accounts.access_tokens import AccessTokens
from notion_backend.application.accounts.auth import AuthService
from notion_backend.application.accounts.credentials import Credentials
from notion_backend.application.accounts.login_throttle import ACCOUNT_FAILURES, LoginThrottle
from notion_backend.application.accounts.password_tokens import PasswordTokens
from notion_backend.application.accounts.passwords import PasswordService
from notion_backend.application.accounts.users import UserService
from notion_backend.application.paging import Cursors
from notion_backend.core.config import Settings
from notion_backend.core.password_hashing import PasswordHasher
from notion_backend.core.passwords import PasswordPolicy
from notion_backend.data.unit_of_work import Database
from notion_backend.mail.queue import DeliveryQueue


@dataclass(frozen=True, slots=True)
class Accounts:
    """The services that know users; they share one hasher and so its limits."""

    auth: AuthService
    passwords: PasswordService
    users: UserService
    credentials: Credentials

    @classmethod
    def build(
        cls,
        database: Database,
        queue: DeliveryQueue,
        settings: Settings,
        secret: bytes,
        hasher: PasswordHasher | None = None,
    ) -> Self:
        """Build them for one process, with the configured hasher unless another is given."""
        hasher = hasher or PasswordHasher.configured(settings)
        policy = PasswordPolicy(settings.brand_name)
        rate = ACCOUNT_FAILURES if settings.login_rate_limit else None
        throttle = LoginThrottle(settings.redis_url, rate)
        credentials = Credentials(database, hasher, throttle, secret)
        access_tokens = AccessTokens(secret, timedelta(minutes=settings.access_token_minutes))
        return cls(
            auth=AuthService(
                database,
                credentials,
                access_tokens,
                refresh_lifetime=timedelta(days=settings.refresh_token_days),
            ),
            passwords=PasswordService(
                database,
                queue,
                credentials,
                hasher,
                policy,
                PasswordTokens(secret),
                settings.base_url,
            ),
            users=UserService(database, queue, Cursors(secret), hasher, policy, settings.base_url),
            credentials=credentials,
        )
