"""The limit: `python -m bench.bare_mails PORT NUMBER` builds mails and sends them, and no more.

One connection, one loop, the standard library; nothing is stored, nobody is asked.
"""

import smtplib
import sys
import uuid
from email.message import EmailMessage

from notion_backend.core.enums import DeliveryKind
from notion_backend.mail.rendering import MailTemplates

CONTEXT = {"first_name": "Zoë", "last_name": "Ångström", "reference": "7Q4M0T2ZK9V1XB6C8N3RDHW5EJ"}
KIND = DeliveryKind.PROSPECT_CONFIRMATION


def main(port: int, number: int) -> None:
    """Send so many mails of the kind that prospects get."""
    texts = MailTemplates("Notion", None).render(KIND, CONTEXT)
    with smtplib.SMTP("127.0.0.1", port) as connection:
        for one in range(number):
            message = EmailMessage()
            message["From"] = "Notion <leads@firm.example>"
            message["To"] = f"p{one}@example.com"
            message["Subject"] = texts.subject
            message["Message-ID"] = f"<{uuid.uuid4()}@firm.example>"
            message.set_content(texts.text)
            message.add_alternative(texts.html, subtype="html")
            connection.send_message(message)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
