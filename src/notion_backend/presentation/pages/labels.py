"""What pages call the words that are stored: states, kinds of mail, roles, actions."""

from collections.abc import Iterable, Mapping

from notion_backend.core.enums import DeliveryKind, DeliveryStatus, LeadState, Role
from notion_backend.core.languages import Language, in_language
from notion_backend.core.sentences import Sentence, say

LABELS: Mapping[str, Sentence] = {
    LeadState.PENDING: say("Pending"),
    LeadState.REACHED_OUT: say("Reached out"),
    DeliveryStatus.QUEUED: say("Waiting"),
    DeliveryStatus.SENDING: say("Being sent"),
    DeliveryStatus.SENT: say("Sent"),
    DeliveryStatus.FAILED: say("Failed"),
    DeliveryStatus.HELD: say("Held"),
    DeliveryKind.PROSPECT_CONFIRMATION: say("Confirmation to the prospect"),
    DeliveryKind.STAFF_NOTIFICATION: say("Notification to staff"),
    DeliveryKind.INVITATION: say("Invitation"),
    DeliveryKind.PASSWORD_RESET: say("Password reset"),
    Role.ADMIN: say("Administrator"),
    Role.STAFF: say("Staff"),
    "user.sessions_ended": say("signed out everywhere else"),
    "lead.submitted": say("sent the form"),
    "lead.imported": say("imported the lead"),
    "lead.reached_out": say("reached out"),
    "lead.reopened": say("set it back to pending"),
    "lead.corrected": say("corrected the details"),
    "lead.erased": say("erased the lead"),
    "resume.downloaded": say("read the résumé"),
    "delivery.retried": say("had a mail sent again"),
    "deliveries.retried": say("had mails sent again"),
    "first_name": say("first name"),
    "last_name": say("last name"),
    "email": say("e-mail address"),
    # How far a mail came at a try.
    "connect": say("Connecting"),
    "banner": say("Greeting"),
    "ehlo": say("Introduction"),
    "starttls": say("Encryption"),
    "auth": say("Sign-in"),
    "mail": say("Sender"),
    "rcpt": say("Recipient"),
    "data": say("Content announced"),
    "dot": say("Content"),
    "sent": say("Accepted"),
    "template": say("Writing the mail"),
    "worker": say("Delivery worker"),
}


ACTORS: Mapping[str, Sentence] = {
    "prospect": say("The prospect"),
    "shell": say("The command line"),
    "system": say("The service"),
    "anonymous": say("Somebody unknown"),
}
"""Who acts without being a user; no user may have such a name."""


def actor_label(name: str, language: Language) -> str:
    """Return what whoever did something is called: a user by their name, whatever it means."""
    return in_language(language, ACTORS[name]) if name in ACTORS else name


def label(word: str) -> str:
    """Return what a stored word is called; one that has no other name is shown as it is."""
    return LABELS.get(word, word)


def choose_one_of(words: Iterable[str]) -> Sentence:
    """Say which words an address may hold there."""
    return say("Choose one of {names}.", names=", ".join(words))
