"""The front door: the form at `/` and the thanks behind it. No session, no cookie.

It needs no script; `static/form.js` sends the same form to the same address.
"""

import secrets
from collections.abc import Mapping

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from notion_backend.application.intake.form_guard import KEY_FIELD, STAMP_FIELD, FormGuard
from notion_backend.application.intake.submissions import PERSON_FIELDS, RESUME_FIELD
from notion_backend.application.services import Services
from notion_backend.core.config import Settings
from notion_backend.core.errors import BusinessError, NotFound, RateLimited, Unavailable
from notion_backend.core.ids import is_reference
from notion_backend.presentation.content_security import FORM_POLICY, PUBLIC_POLICY, embeddable
from notion_backend.presentation.errors import headers_of
from notion_backend.presentation.intake_requests import read_submitted_form, submit_form
from notion_backend.presentation.page_language import (
    LANGUAGE_FIELD,
    chosen_language,
    page_language,
)
from notion_backend.presentation.pages.rendering import page, page_problem
from notion_backend.presentation.problem import Problem, ProblemField
from notion_backend.presentation.submission_form import read_first_fields

router = APIRouter(include_in_schema=False)

_KEY_BYTES = 16
_SPENT_KEYS = ("idempotency_key_reused", "idempotency_key_invalid")


@router.get("/")
def show(request: Request) -> Response:
    """Show the empty form with a key of its own."""
    return _form(request, {})


@router.post("/")
async def submit(request: Request) -> Response:
    """Store the form and lead on to the thanks; on a mistake show it again with its fields."""
    fields: Mapping[str, str] = {}
    try:
        with await read_submitted_form(request) as form:
            fields = form.fields
            suspicions = _guard(request).suspicions(fields)
            key = fields.get(KEY_FIELD) or None
            receipt = await submit_form(request, form, key, suspicions, page_language(request))
    except RateLimited as error:
        # Refused unread, and yet what was typed is not lost.
        return _form(request, await read_first_fields(request, file_field=RESUME_FIELD), error)
    except BusinessError as error:
        return _form(request, fields, error)
    chosen = chosen_language(request)
    query = f"?{LANGUAGE_FIELD}={chosen}" if chosen else ""
    return RedirectResponse(f"/thanks/{receipt.reference}{query}", status_code=303)


@router.get("/thanks/{reference}")
def thanks(request: Request, reference: str) -> Response:
    """Show a reference as the address names it; nothing is looked up, so nothing is told.

    Raises:
        NotFound: it does not have the form of a reference.
    """
    if not is_reference(reference):
        raise NotFound("There is nothing at this address; check it.")
    settings: Settings = request.app.state.settings
    policy = embeddable(PUBLIC_POLICY, settings.embed_origins)
    return page(request, "thanks.html", {"reference": reference}, policy=policy)


def _form(
    request: Request, fields: Mapping[str, str], error: BusinessError | None = None
) -> Response:
    settings: Settings = request.app.state.settings
    problem = _at_its_field(page_problem(request, error)) if error else None
    headers = headers_of(error) if error else {}
    key = _key(fields, problem)
    values = {
        "problem": problem,
        "fields": {name: fields.get(name, "") for name in PERSON_FIELDS},
        "idempotency_key": key,
        "challenge": _guard(request).challenge(key),
        # Since the form was shown first: mending a mistake takes no two seconds.
        "form_stamp": fields.get(STAMP_FIELD) or _guard(request).stamp(),
        "max_resume_bytes": settings.max_resume_bytes,
        "chosen_language": chosen_language(request),
        "form_title": settings.form_title,
        "form_text": settings.form_text,
        "privacy_url": settings.privacy_url,
        # How long a client has to wait is said by RateLimited itself.
        "retry_after": int(headers["Retry-After"]) if isinstance(error, Unavailable) else None,
    }
    return page(
        request,
        "form.html",
        values,
        status=problem.status if problem else 200,
        headers=headers,
        policy=embeddable(FORM_POLICY, settings.embed_origins),
    )


def _guard(request: Request) -> FormGuard:
    services: Services = request.app.state.services
    return services.form_guard


def _key(fields: Mapping[str, str], problem: Problem | None) -> str:
    """Return the key that the form carries.

    A mistake stored nothing, so its key is kept: whichever of two clicks comes through, it is one
    lead. Only a key that made a lead already, or is no key, gives way to a new one.
    """
    is_spent = problem is None or problem.code in _SPENT_KEYS
    kept = None if is_spent else fields.get(KEY_FIELD)
    return kept or secrets.token_urlsafe(_KEY_BYTES)


def _at_its_field(problem: Problem) -> Problem:
    """Show what is wrong with the file as a whole beside the field that it was chosen in."""
    if problem.code != "too_large":
        return problem
    mistake = ProblemField(field=RESUME_FIELD, code=problem.code, message=problem.detail)
    return problem.model_copy(update={"errors": [mistake]})
