"""The service as its users call it."""

from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx

from tests.servers.service import Service

ADMIN_PASSWORD = "a long walk along the sea"
CHEAP_HASHES = {"ARGON2_MEMORY_KIB": "1024", "ARGON2_PASSES": "1", "ARGON2_LANES": "1"}
"""A sign-in at the recommended cost takes a fifth of a second of processor time."""
SETTINGS = {
    **CHEAP_HASHES,
    "ADMIN_PASSWORD": ADMIN_PASSWORD,
    "INTAKE_RATE_LIMIT": "off",
    "LOGIN_RATE_LIMIT": "off",
    "PROSPECT_MAIL_LIMIT": "off",
}
RESUMES = Path(__file__).parent.parent / "fixtures" / "resumes"


class Client:
    """Calls the API, signed in as the first administrator where that is needed."""

    def __init__(self, service: Service) -> None:
        self._http = httpx.Client(
            base_url=f"{service.base_url}/api/v1",
            timeout=30,
            trust_env=False,
            # A connection a call: the service may be killed between two of them.
            limits=httpx.Limits(max_keepalive_connections=0),
        )
        self._token: str | None = None

    def submit(
        self,
        filename: str = "resume.pdf",
        content: bytes | None = None,
        *,
        key: str | None = None,
        **fields: str,
    ) -> httpx.Response:
        """Send the form."""
        form = {"first_name": "Zoë", "last_name": "Ångström", "email": "zoe@example.com"} | fields
        content = (RESUMES / "resume.pdf").read_bytes() if content is None else content
        headers = {"Idempotency-Key": key} if key else {}
        return self._http.post(
            "/leads", data=form, files={"resume": (filename, content)}, headers=headers
        )

    def get(self, path: str, **parameters: str | int) -> httpx.Response:
        """Read something as staff; anything but a 200 is a failure."""
        answer = self._http.get(path, params=parameters, headers=self._signed_in())
        assert answer.status_code == 200, answer.text
        return answer

    def send(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        """Change something as staff."""
        return self._http.request(method, path, json=body, headers=self._signed_in())

    def items(self, path: str, **parameters: str | int) -> Iterator[dict[str, Any]]:
        """Read a whole list, page by page."""
        while True:
            page = self.get(path, **parameters).json()
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            parameters["cursor"] = page["next_cursor"]

    def only_lead(self) -> dict[str, Any]:
        """Read the one lead that there is."""
        [lead] = self.items("/leads")
        return lead

    def deliveries(self) -> list[dict[str, Any]]:
        """Read the mails of the one lead that there is."""
        return list(self.get(f"/leads/{self.only_lead()['id']}/deliveries").json()["items"])

    def all_sent(self) -> bool:
        """Tell whether every mail of the one lead has been sent."""
        return all(mail["status"] == "SENT" for mail in self.deliveries())

    def _signed_in(self) -> dict[str, str]:
        if self._token is None:
            form = {"grant_type": "password", "username": "admin", "password": ADMIN_PASSWORD}
            answer = self._http.post("/auth/token", data=form)
            assert answer.status_code == 200, answer.text
            self._token = answer.json()["access_token"]
        return {"Authorization": f"Bearer {self._token}"}


def captured_mails(service: Service) -> list[EmailMessage]:
    """Read the mails that the embedded default has written."""
    return [
        message_from_bytes(file.read_bytes(), policy=policy.default)
        for file in sorted((service.data_dir / "mail").glob("*.eml"))
    ]
