"""The services of the application, gathered once for whoever presents them."""

from dataclasses import dataclass

from notion_backend.application.accounts.auth import AuthService
from notion_backend.application.accounts.console_sessions import ConsoleSessions
from notion_backend.application.accounts.live_sessions import LiveSessions
from notion_backend.application.accounts.passwords import PasswordService
from notion_backend.application.accounts.users import UserService
from notion_backend.application.changes import Changes
from notion_backend.application.delivery.deliveries import DeliveryService
from notion_backend.application.health import HealthService
from notion_backend.application.intake.form_guard import FormGuard
from notion_backend.application.intake.intake import Intake
from notion_backend.application.leads.exports import LeadExporter
from notion_backend.application.leads.leads import LeadService
from notion_backend.application.statistics import StatisticsService


@dataclass(frozen=True, slots=True)
class Services:
    """One of each; built by the composition roots, used by API, pages and commands."""

    intake: Intake
    form_guard: FormGuard
    leads: LeadService
    exporter: LeadExporter
    deliveries: DeliveryService
    auth: AuthService
    console_sessions: ConsoleSessions
    live_sessions: LiveSessions
    passwords: PasswordService
    users: UserService
    statistics: StatisticsService
    health: HealthService
    changes: Changes
