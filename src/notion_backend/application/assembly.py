"""Which concrete parts a process is made of; the one place that names them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from notion_backend.application.accounts.accounts import Accounts
from notion_backend.application.accounts.console_sessions import ConsoleSessions
from notion_backend.application.accounts.live_sessions import LiveSessions
from notion_backend.application.accounts.password_mails import PasswordMails
from notion_backend.application.changes import Changes
from notion_backend.application.delivery.deliveries import DeliveryService
from notion_backend.application.delivery.leases import Leases
from notion_backend.application.delivery.postman import MailRoom, Postman
from notion_backend.application.health import HealthService
from notion_backend.application.intake.form_guard import FormGuard
from notion_backend.application.intake.form_proof import FormProof
from notion_backend.application.intake.intake import Intake, IntakePolicy
from notion_backend.application.leads.exports import LeadExporter
from notion_backend.application.leads.leads import LeadService
from notion_backend.application.paging import Cursors
from notion_backend.application.services import Services
from notion_backend.application.statistics import StatisticsService
from notion_backend.core.config import Settings
from notion_backend.core.errors import ConfigurationError
from notion_backend.core.secret_key import load_secret_key
from notion_backend.data.engine import create_database_engine
from notion_backend.data.unit_of_work import Database
from notion_backend.mail.files import FileSender
from notion_backend.mail.messages import Composer
from notion_backend.mail.queue import DeliveryQueue, MemoryQueue
from notion_backend.mail.redis_queue import RedisQueue
from notion_backend.mail.rendering import MailUnrenderable
from notion_backend.mail.sender import Sender
from notion_backend.mail.smtp import SmtpSender
from notion_backend.mail.smtp_session import SmtpServer


@dataclass(frozen=True, slots=True)
class Foundations:
    """What every process of the service stands on."""

    settings: Settings
    secret: bytes
    database: Database
    queue: DeliveryQueue

    def close(self) -> None:
        """Let go of all connections."""
        self.queue.close()
        self.database.close()


def lay_foundations(settings: Settings) -> Foundations:
    """Open the secret, the database and the queue.

    Raises:
        ConfigurationError: one of them cannot be used as configured.
    """
    secret = load_secret_key(settings)
    database = Database(create_database_engine(settings.database))
    queue = RedisQueue(settings.redis_url) if settings.redis_url else MemoryQueue()
    return Foundations(settings, secret, database, queue)


def build_services(on: Foundations) -> Services:
    """Build every service of a web process."""
    settings, database, queue = on.settings, on.database, on.queue
    cursors = Cursors(on.secret)
    accounts = Accounts.build(database, queue, settings, on.secret)
    policy = IntakePolicy(
        settings.base_url,
        settings.staff_emails,
        settings.prospect_mail_limit,
        settings.default_language,
    )
    return Services(
        intake=Intake(database, queue, policy),
        form_guard=FormGuard(
            on.secret,
            settings.form_min_seconds,
            FormProof(on.secret) if settings.form_proof_of_work == "on" else None,
        ),
        leads=LeadService(database, cursors, FileSender(_mail_folder(settings))),
        exporter=LeadExporter(database),
        deliveries=DeliveryService(database, queue, cursors),
        auth=accounts.auth,
        console_sessions=ConsoleSessions(database, accounts.credentials, on.secret),
        live_sessions=LiveSessions(database),
        passwords=accounts.passwords,
        users=accounts.users,
        statistics=StatisticsService(database),
        health=HealthService(database, queue),
        changes=Changes(database),
    )


def build_postman(on: Foundations) -> Postman:
    """Build a delivery worker."""
    settings = on.settings
    try:
        composer = Composer(
            settings.mail_from,
            settings.mail_reply_to,
            settings.brand_name,
            settings.templates_dir,
            settings.default_language,
        )
    except MailUnrenderable as error:
        raise ConfigurationError(f"MAIL_FROM or TEMPLATES_DIR: {error}") from None
    leases = Leases(on.database, PasswordMails(on.secret))
    return Postman(MailRoom(on.database, on.queue, leases, composer, _sender_maker(settings)))


def _sender_maker(settings: Settings) -> Callable[[], Sender]:
    if not settings.smtp_host:
        return lambda: FileSender(_mail_folder(settings))
    server = SmtpServer(
        host=settings.smtp_host,
        port=settings.smtp_port,
        security=settings.smtp_security,
        username=settings.smtp_username,
        password=settings.smtp_password.get_secret_value(),
    )
    return lambda: SmtpSender(server)


def _mail_folder(settings: Settings) -> Path:
    return settings.data_dir / "mail"
