"""From a template and its values to an answer."""

from collections.abc import Mapping
from datetime import datetime

from fastapi import FastAPI
from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    TemplateError,
    pass_context,
)
from jinja2.runtime import Context
from starlette.requests import Request
from starlette.responses import HTMLResponse

from notion_backend.application.intake.form_guard import read_held
from notion_backend.core.config import Settings
from notion_backend.core.errors import BusinessError, ConfigurationError
from notion_backend.core.languages import Language, speak_languages
from notion_backend.presentation.content_security import PAGE_POLICY
from notion_backend.presentation.errors import headers_of, is_console, problem_of, request_id_of
from notion_backend.presentation.intake_requests import readable_size
from notion_backend.presentation.page_language import page_language
from notion_backend.presentation.pages.labels import actor_label, label
from notion_backend.presentation.pages.look_files import Look
from notion_backend.presentation.pages.static_files import static_url
from notion_backend.presentation.problem import Problem


class PageTemplates:
    """The templates of all pages, compiled at the start.

    A file TEMPLATES_DIR/pages/<name> replaces the package's own. Every value is escaped; a name
    that a template uses and nobody gave is an error.

    Raises:
        ConfigurationError: a template cannot be compiled.
    """

    def __init__(self, settings: Settings, look: Look | None = None) -> None:
        loaders: list[BaseLoader] = [PackageLoader("notion_backend.presentation.pages")]
        if settings.templates_dir is not None:
            loaders.insert(0, FileSystemLoader(settings.templates_dir / "pages"))
        self._environment = Environment(
            loader=ChoiceLoader(loaders),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        speak_languages(self._environment)
        self._environment.globals["brand"] = settings.brand_name
        self._environment.globals["look"] = look or Look.of(settings)
        self._environment.globals["languages"] = tuple(Language)
        self._environment.globals["static"] = static_url
        self._environment.filters["label"] = label
        self._environment.filters["actor"] = _actor
        self._environment.filters["held"] = read_held
        self._environment.filters["moment"] = _moment
        self._environment.filters["machine_moment"] = datetime.isoformat
        self._environment.filters["readable_size"] = readable_size
        self._compile()

    def render(self, name: str, language: Language, values: Mapping[str, object]) -> str:
        """Fill in one template in one language."""
        return self._environment.get_template(name).render(values, language=language)

    def _compile(self) -> None:
        for name in self._environment.list_templates(extensions=["html"]):
            try:
                self._environment.get_template(name)
            except (TemplateError, UnicodeDecodeError, OSError) as error:
                reason = " ".join(str(error).split())
                raise ConfigurationError(f"TEMPLATES_DIR: pages/{name}: {reason}") from None


def install_templates(app: FastAPI) -> None:
    """Compile the templates and keep them where `page` finds them, the look of pages with them."""
    settings: Settings = app.state.settings
    app.state.look = Look.of(settings)
    app.state.page_templates = PageTemplates(settings, app.state.look)


def page(
    request: Request,
    name: str,
    values: Mapping[str, object],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    policy: str = PAGE_POLICY,
) -> HTMLResponse:
    """Answer with a page. It may hold personal data, so nobody keeps a copy."""
    language = page_language(request)
    return HTMLResponse(
        _templates(request).render(name, language, values),
        status_code=status,
        headers={
            "Content-Security-Policy": policy,
            "Content-Language": language,
            "Cache-Control": "no-store",
            **(headers or {}),
        },
    )


def form_page(
    request: Request,
    name: str,
    values: Mapping[str, object],
    error: BusinessError | None,
    *,
    policy: str = PAGE_POLICY,
) -> HTMLResponse:
    """Answer with the page of a form; the template gets what was refused as `problem`, or None."""
    problem = page_problem(request, error) if error else None
    return page(
        request,
        name,
        {**values, "problem": problem},
        status=problem.status if problem else 200,
        headers=headers_of(error) if error else None,
        policy=policy,
    )


def page_problem(request: Request, error: BusinessError) -> Problem:
    """Describe an error in the language of the page that shows it."""
    return problem_of(error, request_id_of(request.scope), page_language(request))


def draw_error_page(request: Request, problem: Problem) -> str:
    """Draw an error as a page: the hook of `install_error_handlers`."""
    path = request.url.path
    values = {"problem": problem, "way_on": _way_on(path), "is_public": not is_console(path)}
    return _templates(request).render("error.html", page_language(request), values)


def _way_on(path: str) -> str:
    """Return where a page leads that could not be shown; nowhere from the form, which is kept."""
    if is_console(path):
        return "" if path == "/console" else "/console"
    return "" if path == "/" else "/"


def _templates(request: Request) -> PageTemplates:
    templates: PageTemplates = request.app.state.page_templates
    return templates


@pass_context
def _actor(context: Context, name: str) -> str:
    return actor_label(name, context["language"])


def _moment(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M} UTC"
