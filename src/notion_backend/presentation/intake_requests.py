"""From a submitted form to a receipt: what the API and the public page share."""

from anyio import to_thread
from starlette.requests import Request

from notion_backend.application.flags import Flag
from notion_backend.application.intake.intake import Intake, Receipt
from notion_backend.application.intake.submissions import RESUME_FIELD, Submission, check_submission
from notion_backend.core.config import Settings
from notion_backend.core.errors import FieldError, TooLarge
from notion_backend.core.languages import Language, preferred_language
from notion_backend.core.sentences import say
from notion_backend.presentation.metrics import Metrics
from notion_backend.presentation.rate_limits import RateLimiter, client_key
from notion_backend.presentation.submission_form import SubmittedForm, read_form

_CHECKED_AT_ONCE_BYTES = 256 * 1024


async def read_submitted_form(request: Request) -> SubmittedForm:
    """Count the client's request, then read its form; what is over the limit is never read.

    Raises:
        RateLimited: before anything of the body is read.
        BusinessError: see `read_form`.
    """
    settings: Settings = request.app.state.settings
    limiter: RateLimiter = request.app.state.rate_limiter
    await limiter.hit("intake", client_key(client_address(request)), settings.intake_rate_limit)
    return await read_form(
        request, file_field=RESUME_FIELD, max_file_bytes=settings.max_resume_bytes
    )


async def submit_form(
    request: Request,
    form: SubmittedForm,
    idempotency_key: str | None,
    suspicions: tuple[Flag, ...] = (),
    language: Language | None = None,
) -> Receipt:
    """Check the form, store it and return its receipt once it is on stable storage.

    `suspicions` are what a page's form has to be flagged for, `language` is that of the page; else
    it is what the request asks for (RFC 9110 §12.5.4).

    Raises:
        TooLarge: the file is over MAX_RESUME_BYTES.
        BusinessError: see `check_submission` and `Intake.submit`.
    """
    settings: Settings = request.app.state.settings
    intake: Intake = request.app.state.services.intake
    if form.file_too_large:
        limit = readable_size(settings.max_resume_bytes)
        message = say("Send a résumé of at most {limit}.", limit=limit)
        raise TooLarge(message, errors=(FieldError(RESUME_FIELD, TooLarge.code, message),))

    def check() -> Submission:
        return check_submission(
            form.fields,
            form.file,
            idempotency_key=idempotency_key,
            address=client_address(request),
            suspicions=suspicions,
            language=language or _asked_language(request),
        )

    if form.file is not None and form.file.size > _CHECKED_AT_ONCE_BYTES:
        submission = await to_thread.run_sync(check)
    else:
        submission = check()
    receipt = await intake.submit(submission)
    if not receipt.replayed:
        metrics: Metrics = request.app.state.metrics
        metrics.leads.inc()
    return receipt


def _asked_language(request: Request) -> Language | None:
    header = request.headers.get("accept-language")
    settings: Settings = request.app.state.settings
    return preferred_language(header, settings.default_language) if header else None


def client_address(request: Request) -> str:
    """Return the address of the client, proxies that are trusted looked through."""
    return request.client.host if request.client else "unknown"


def readable_size(size: int) -> str:
    """Write a number of bytes for people: `10 MiB`, `1.5 MiB`, `20 KiB`, `100 bytes`."""
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit:
            return f"{size / unit:.1f}".removesuffix(".0") + f" {name}"
    return f"{size} bytes"
