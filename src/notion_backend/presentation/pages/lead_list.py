"""Which leads a list of the console shows, as its address says it."""

from dataclasses import dataclass
from typing import Self
from urllib.parse import urlencode

from fastapi import Request

from notion_backend.core.enums import LeadSort, LeadState
from notion_backend.core.errors import FieldError, InvalidInput
from notion_backend.core.lead_query import LeadQuery
from notion_backend.presentation.pages.labels import choose_one_of

LIST_PATH = "/console"
_NEWEST_FIRST = LeadSort.CREATED_AT_DESCENDING


@dataclass(frozen=True, slots=True)
class LeadList:
    """The filters and the order of a list; `asked` reads them from a request."""

    q: str = ""
    state: LeadState | None = None
    flagged: bool = False
    """Only leads with flags."""
    sort: LeadSort = _NEWEST_FIRST

    @classmethod
    def asked(cls, request: Request) -> Self:
        """Read the address of a request.

        Raises:
            InvalidInput: it names a state or an order that there is not.
        """
        asked = request.query_params
        return cls(
            q=asked.get("q", ""),
            state=read_state(asked["state"]) if asked.get("state") else None,
            flagged=asked.get("flagged") == "true",
            sort=_read_sort(asked["sort"]) if asked.get("sort") else _NEWEST_FIRST,
        )

    @property
    def query(self) -> LeadQuery:
        """What the application is asked for."""
        return LeadQuery(
            state=self.state, q=self.q, flagged=True if self.flagged else None, sort=self.sort
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether it may leave leads out."""
        return bool(self.q or self.state or self.flagged)

    def address(self, path: str = LIST_PATH, **more: str) -> str:
        """Return where this list is, from its first page."""
        return _with_query(path, self.fields | more)

    @property
    def fields(self) -> dict[str, str]:
        """What the address holds, where it differs from the whole list."""
        return {
            name: value
            for name, value in (
                ("q", self.q),
                ("state", self.state or ""),
                ("flagged", "true" if self.flagged else ""),
                ("sort", "" if self.sort is _NEWEST_FIRST else self.sort),
            )
            if value
        }

    def tab(self, *, state: str = "", flagged: str = "") -> str:
        """Return where the same search is among the leads of another tab."""
        kept = {name: self.fields[name] for name in ("q", "sort") if name in self.fields}
        chosen = {name: value for name, value in (("state", state), ("flagged", flagged)) if value}
        return _with_query(LIST_PATH, kept | chosen)

    def sorted_by(self, column: str) -> str:
        """Return where it is in the order of a column, turned round if it is that already."""
        turned = {
            "created_at": LeadSort.CREATED_AT_DESCENDING,
            "last_name": LeadSort.LAST_NAME,
            "email": LeadSort.EMAIL,
        }[column]
        if self.sort is turned:
            turned = LeadSort(turned.by if turned.is_descending else f"-{turned}")
        fields = self.fields | {"sort": "" if turned is _NEWEST_FIRST else turned}
        return _with_query(LIST_PATH, {name: value for name, value in fields.items() if value})

    def direction(self, column: str) -> str | None:
        """Return `ascending`, `descending` (ARIA 1.2, aria-sort), or None for other columns."""
        if self.sort.by != column:
            return None
        return "descending" if self.sort.is_descending else "ascending"


def read_state(text: str) -> LeadState:
    """Read a state as addresses and forms name it.

    Raises:
        InvalidInput: there is no such state.
    """
    try:
        return LeadState(text)
    except ValueError:
        raise InvalidInput.of(FieldError("state", "enum", choose_one_of(LeadState))) from None


def _read_sort(text: str) -> LeadSort:
    try:
        return LeadSort(text)
    except ValueError:
        raise InvalidInput.of(FieldError("sort", "enum", choose_one_of(LeadSort))) from None


def _with_query(path: str, fields: dict[str, str]) -> str:
    return f"{path}?{urlencode(fields)}" if fields else path
