"""Whether anything has happened that a page which is open should show."""

from notion_backend.data.unit_of_work import Database


class Changes:
    """A mark that moves with every event: leads that arrive, are worked, or are read."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def mark(self) -> str:
        """Return the mark as it is now; another one than before means that something happened.

        Raises:
            Unavailable: the database does not answer.
        """
        with self._database.reading() as work:
            newest = work.events.newest()
        return "" if newest is None else f"{newest[0]}-{newest[1].isoformat()}"
