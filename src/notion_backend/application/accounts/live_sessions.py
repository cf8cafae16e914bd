"""Which sessions of a user are alive, and their end (ASVS V7.4.3, V7.4.5, V7.5.2)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from notion_backend.application.accounts.account_events import account_event
from notion_backend.application.accounts.console_sessions import LONGEST_IDLE
from notion_backend.application.actor import Actor
from notion_backend.core.clock import utcnow
from notion_backend.core.errors import NotFound
from notion_backend.data.unit_of_work import Database


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A sign-in that lasts; `last_seen_at` is a minute behind at most."""

    began_at: datetime
    last_seen_at: datetime
    is_console: bool
    """Else a program's, by the API."""
    is_this: bool
    """The one that asks."""


class LiveSessions:
    """Lists sessions and ends them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, actor: Actor) -> Sequence[LiveSession]:
        """Return the actor's own, the newest first."""
        if actor.user_id is None:
            return []
        now = utcnow()
        with self._database.reading() as work:
            found = work.sessions.of_user(actor.user_id, now)
        return [
            LiveSession(
                began_at=session.created_at,
                last_seen_at=session.last_seen_at,
                is_console=session.cookie_hash is not None,
                is_this=session.id == actor.session_id,
            )
            for session in found
            # A console's that was not used for so long ends at its next request.
            if session.cookie_hash is None or session.last_seen_at + LONGEST_IDLE > now
        ]

    def end_others(self, actor: Actor) -> int:
        """End all of the actor's sessions but this one; return how many that were."""
        if actor.user_id is None:
            return 0
        now = utcnow()
        with self._database.writing() as work:
            ended = work.sessions.revoke_all_of(actor.user_id, now, but=actor.session_id)
            if ended:
                work.events.add(
                    account_event("user.sessions_ended", at=now, by=actor, user_id=actor.user_id)
                )
                work.commit()
        return ended

    def end_all_of(self, actor: Actor, user_id: int) -> int:
        """End every session of a user, for administrators; return how many that were.

        Raises:
            PermissionDenied: the actor is no administrator.
            NotFound: there is no such user.
        """
        actor.require_admin()
        now = utcnow()
        with self._database.writing() as work:
            if work.users.get(user_id) is None:
                raise NotFound("There is no such user; list the users to see them all.")
            ended = work.sessions.revoke_all_of(user_id, now)
            if ended:
                work.events.add(
                    account_event("user.sessions_ended", at=now, by=actor, user_id=user_id)
                )
                work.commit()
        return ended
