"""The content of résumés, in pieces."""

from collections.abc import Iterable, Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from notion_backend.data.bulk import insert_rows
from notion_backend.data.models import ResumeChunk

_HEAVIEST_STATEMENT = 1024 * 1024
"""A piece more than so many bytes goes at a time: servers limit what one packet may hold."""


class ResumeRepository:
    """Reads and writes `resume_chunks`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def insert(self, contents: Iterable[tuple[int, Iterable[bytes]]]) -> None:
        """Store the contents of several leads' résumés at once; each is an id and its pieces."""
        rows: list[dict[str, object]] = []
        weight = 0
        for lead_id, pieces in contents:
            for position, piece in enumerate(pieces):
                rows.append({"lead_id": lead_id, "position": position, "content": piece})
                weight += len(piece)
                if weight >= _HEAVIEST_STATEMENT:
                    insert_rows(self._session, ResumeChunk, rows)
                    rows, weight = [], 0
        insert_rows(self._session, ResumeChunk, rows)

    def read(self, lead_id: int, position: int) -> bytes | None:
        """Return one piece of a résumé; None past its end."""
        return self._session.scalar(
            select(ResumeChunk.content).where(
                ResumeChunk.lead_id == lead_id, ResumeChunk.position == position
            )
        )

    def stream(self, lead_id: int) -> Iterator[bytes]:
        """Yield the whole content piece by piece."""
        position = 0
        while (content := self.read(lead_id, position)) is not None:
            yield content
            position += 1
