"""A firm with a few leads in every state that a page can show."""

from dataclasses import dataclass, field
from datetime import timedelta

import httpx
from playwright.sync_api import BrowserContext
from sqlalchemy import func, select, update

from notion_backend.core.clock import utcnow
from notion_backend.core.enums import DeliveryKind, DeliveryStatus
from notion_backend.data.engine import create_database_engine
from notion_backend.data.models import Delivery, Lead
from notion_backend.data.unit_of_work import Database
from tests.servers.service import Service
from tests.submitting import RESUMES
from tests.waiting import wait_until

PASSWORD = "nine brown bears dance"
PEOPLE = (
    ("Zoë", "Ångström", "zoe@example.com"),
    ("Miguel Ángel", "Fernández de la Cruz", "miguel@example.com"),
    ("小明", "王", "xiaoming@example.com"),
    ("Ada", "Okafor", "ada@example.com"),
    ("Jean-Luc", "D'Arcy", "jl@example.com"),
)
_REFUSED = "550 5.1.1 <jl@example.com>: Recipient address rejected: User unknown"


@dataclass
class Sample:
    """Where the service answers, its leads by the name of their case, and the cookie of a visit."""

    base_url: str
    reference: str = ""
    leads: dict[str, int] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)

    def sign_in(self, context: BrowserContext) -> None:
        """Let the pages of this browser be the administrator's."""
        context.add_cookies(
            [
                {"name": name, "value": value, "url": self.base_url}
                for name, value in self.cookies.items()
            ]
        )


def store_sample(service: Service) -> Sample:
    """Store leads through the public form and the API, work them, and sign in."""
    sample = Sample(service.base_url)
    with httpx.Client(
        base_url=service.base_url, headers={"Origin": service.base_url}, trust_env=False
    ) as client:
        form = {"username": "admin", "password": PASSWORD}
        assert client.post("/console/sign-in", data=form).status_code == 303
        sample.cookies = dict(client.cookies)
        token = client.post("/api/v1/auth/token", data={"grant_type": "password", **form}).json()[
            "access_token"
        ]
        for person in PEOPLE:
            sample.reference = submit(client, *person)
        submit(client, "Robot", "Smith", "robot@example.com", website="http://spam.example")
        signed_in = {"Authorization": f"Bearer {token}"}
        listed = client.get("/api/v1/leads?sort=created_at", headers=signed_in).json()["items"]
        cases = ("pending", "reached_out", "other", "oldest", "failed", "flagged")
        sample.leads = {case: lead["id"] for case, lead in zip(cases, listed, strict=True)}
        answer = client.patch(
            f"/api/v1/leads/{sample.leads['reached_out']}",
            json={"state": "REACHED_OUT"},
            headers=signed_in,
        )
        assert answer.status_code == 200
        user = {"username": "grace", "email": "grace@example.com", "role": "staff"}
        created = client.post("/api/v1/users", json=user, headers=signed_in)
        sample.users = {"admin": 1, "grace": created.json()["id"]}
    _fail_a_mail(service, sample.leads["failed"])
    return sample


def submit(client: httpx.Client, first: str, last: str, email: str, **fields: str) -> str:
    """Send the public form and return the reference that its thanks show."""
    answer = client.post(
        "/",
        data={"first_name": first, "last_name": last, "email": email, **fields},
        files={"resume": ("Lebenslauf.pdf", (RESUMES / "resume.pdf").read_bytes())},
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].rsplit("/", 1)[1].partition("?")[0]


def database_of(service: Service) -> Database:
    """Open the embedded database beside the running service."""
    return Database(create_database_engine(f"sqlite:///{service.data_dir / 'notion.db'}"))


def _fail_a_mail(service: Service, lead_id: int) -> None:
    """Let the confirmation of a lead have been refused, once the service has no more to send."""
    database = database_of(service)
    waiting = select(func.count()).where(
        Delivery.status.in_([DeliveryStatus.QUEUED, DeliveryStatus.SENDING])
    )

    def is_idle() -> bool:
        with database.reading() as work:
            return work._session.scalar(waiting) == 0

    wait_until(is_idle)
    with database.writing() as work:
        work._session.execute(
            update(Delivery)
            .where(Delivery.lead_id == lead_id, Delivery.kind == DeliveryKind.PROSPECT_CONFIRMATION)
            .values(status=DeliveryStatus.FAILED, last_reply=_REFUSED, sent_at=None)
        )
        work._session.execute(
            update(Lead).where(Lead.id == lead_id).values(created_at=utcnow() - timedelta(days=3))
        )
        work.commit()
    database.close()
