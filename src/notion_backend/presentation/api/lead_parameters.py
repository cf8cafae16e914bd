"""The filters and orders of leads, as list and export take them."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from notion_backend.application.leads.exports import ExportFormat
from notion_backend.core.enums import LeadSort, LeadState
from notion_backend.core.lead_query import LeadQuery
from notion_backend.presentation.api.moments import Moment
from notion_backend.presentation.api.schemas import Cursor, Limit

_FLAGGED = {"true": True, "false": False, "": None}


class LeadFilters(BaseModel):
    """Which leads, and in which order."""

    state: Annotated[
        Literal["PENDING", "REACHED_OUT", ""],
        Field(description="Only leads in this state; empty for all."),
    ] = ""
    q: Annotated[
        str,
        Field(
            description="Part of a first name, last name or e-mail address, taken literally, "
            "whatever its case, or a whole reference; empty for all.",
            examples=["ångström"],
            json_schema_extra={"pattern": r"^[^\u0000]*$"},
        ),
    ] = ""
    created_from: Annotated[
        Moment,
        Field(description="Only leads that arrived then or later (RFC 3339, with its zone)."),
    ] = None
    created_to: Annotated[
        Moment, Field(description="Only leads that arrived before (RFC 3339, with its zone).")
    ] = None
    flagged: Annotated[
        Literal["true", "false", ""],
        Field(description="Only leads with flags, or only those without; empty for all."),
    ] = ""
    sort: Annotated[
        LeadSort,
        Field(
            description="By arrival, last name or e-mail address; a minus sign turns it round. "
            "Names are compared folded, by code points; the id breaks ties."
        ),
    ] = LeadSort.CREATED_AT_DESCENDING

    def query(self) -> LeadQuery:
        """Return them as the application takes them."""
        return LeadQuery(
            state=LeadState(self.state) if self.state else None,
            q=self.q,
            created_from=self.created_from,
            created_to=self.created_to,
            flagged=_FLAGGED[self.flagged],
            sort=self.sort,
        )


class ListParameters(LeadFilters):
    """What `GET /leads` takes."""

    limit: Limit = 50
    cursor: Cursor = None


class ExportParameters(LeadFilters):
    """What `GET /leads/export` takes."""

    format: Annotated[ExportFormat, Field(description="CSV, or a JSON object a line.")] = (
        ExportFormat.CSV
    )
