"""The ordinary way: a `def` endpoint, a session and a commit a request, the same rows."""

import hashlib
import os
import uuid
from datetime import UTC, datetime
from typing import Annotated

from fastapi import FastAPI, Form, UploadFile
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from notion_backend.core.enums import DeliveryKind, DeliveryStatus, LeadState
from notion_backend.data.base import Base
from notion_backend.data.models import Delivery, Event, Lead, ResumeChunk

_engine = create_engine(
    os.environ["BENCH_DATABASE"].replace("postgresql:", "postgresql+psycopg:"),
    pool_size=20,
    max_overflow=44,
)
Base.metadata.create_all(_engine)
app = FastAPI()


@app.post("/", status_code=201)
def submit(
    first_name: Annotated[str, Form()],
    last_name: Annotated[str, Form()],
    email: Annotated[str, Form()],
    resume: UploadFile,
) -> dict[str, str]:
    """Store a lead with its résumé, its event and its two mails."""
    content = resume.file.read()
    now = datetime.now(UTC)
    with Session(_engine) as session:
        lead = Lead(
            reference=uuid.uuid4().hex[:26],
            state=LeadState.PENDING,
            resume_filename=resume.filename,
            resume_media_type="application/pdf",
            resume_size=len(content),
            resume_sha256=hashlib.sha256(content).hexdigest(),
            created_at=now,
            updated_at=now,
        )
        lead.name(first_name, last_name, email)
        session.add(lead)
        session.flush()
        session.add(ResumeChunk(lead_id=lead.id, position=0, content=content))
        session.add(
            Event(lead_id=lead.id, at=now, actor="prospect", action="lead.submitted", detail="")
        )
        for kind, to in (
            (DeliveryKind.PROSPECT_CONFIRMATION, email),
            (DeliveryKind.STAFF_NOTIFICATION, "desk@firm.example"),
        ):
            session.add(
                Delivery(
                    id=uuid.uuid4(),
                    lead_id=lead.id,
                    kind=kind,
                    recipient=to,
                    recipient_folded=to,
                    context={"first_name": first_name},
                    status=DeliveryStatus.QUEUED,
                    next_attempt_at=now,
                    created_at=now,
                )
            )
        session.commit()
        return {"reference": lead.reference}
