"""What mails about passwords show: it is looked up when they are sent, for the row holds none."""

from collections.abc import Mapping

from notion_backend.application.accounts.password_tokens import LIFETIMES, PasswordTokens
from notion_backend.core.enums import DeliveryKind
from notion_backend.data.repositories.leases import LeasedMail
from notion_backend.data.unit_of_work import UnitOfWork


class PasswordMails:
    """Fills in invitations and password resets; other mails bring all they show."""

    def __init__(self, secret: bytes) -> None:
        self._tokens = PasswordTokens(secret)

    def context_for(self, work: UnitOfWork, mail: LeasedMail) -> Mapping[str, str] | None:
        """Return what the template shows, the mail addressed to its user; None if it is for nobody.

        That is so when no enabled user has the address, as whoever asked for a reset is not told,
        and when an invited user has a password by now.
        """
        if mail.kind not in LIFETIMES:
            return mail.context
        user = work.users.by_email(mail.recipient_folded)
        if user is None or user.disabled:
            return None
        if mail.kind is DeliveryKind.INVITATION and user.hashed_password is not None:
            return None
        # Somebody typed the recipient, and folding makes one of addresses that are two: ß and ss in
        # a domain. What opens an account goes to the address that is stored with it.
        mail.recipient = user.email
        token, expires_at = self._tokens.issue(user, mail.kind, mail.created_at)
        # Behind the number sign: a browser sends that part to nobody (ASVS V14.2.1).
        link = f"{mail.context['base_url']}/console/password#token={token}"
        return {
            "username": user.username,
            "link": link,
            "expires_at": f"{expires_at:%Y-%m-%d %H:%M} UTC",
        }
