"""The filters and orders of leads, as list and export take them."""

from typing import Annotated, Literal

from fastapi import Depends, Query

from notion_backend.core.enums import LeadSort, LeadState
from notion_backend.core.lead_query import LeadQuery
from notion_backend.presentation.api.moments import Moment

_FLAGGED = {"true": True, "false": False, "": None}


async def _lead_query(
    state: Annotated[
        Literal["PENDING", "REACHED_OUT", ""],
        Query(description="Only leads in this state; empty for all."),
    ] = "",
    q: Annotated[
        str,
        Query(
            description="Part of a first name, last name or e-mail address, taken literally, "
            "whatever its case; empty for all.",
            examples=["ångström"],
            json_schema_extra={"pattern": r"^[^\u0000]*$"},
        ),
    ] = "",
    created_from: Annotated[
        Moment,
        Query(description="Only leads that arrived then or later (RFC 3339, with its zone)."),
    ] = None,
    created_to: Annotated[
        Moment, Query(description="Only leads that arrived before (RFC 3339, with its zone).")
    ] = None,
    flagged: Annotated[
        Literal["true", "false", ""],
        Query(description="Only leads with flags, or only those without; empty for all."),
    ] = "",
    sort: Annotated[
        LeadSort,
        Query(
            description="By arrival, last name or e-mail address; a minus sign turns it round. "
            "Names are compared folded, by code points; the id breaks ties."
        ),
    ] = LeadSort.CREATED_AT_DESCENDING,
) -> LeadQuery:
    return LeadQuery(
        state=LeadState(state) if state else None,
        q=q,
        created_from=created_from,
        created_to=created_to,
        flagged=_FLAGGED[flagged],
        sort=sort,
    )


RequestedLeads = Annotated[LeadQuery, Depends(_lead_query)]
