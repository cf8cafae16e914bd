"""The words of each mail: `templates/<kind>/` holds its subject, its text and its HTML."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from css_inline import CSSInliner
from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PackageLoader,
    StrictUndefined,
    TemplateError,
    select_autoescape,
)

from notion_backend.core.enums import DeliveryKind
from notion_backend.core.languages import Language, speak_languages


class MailUnrenderable(Exception):
    """No message can be made of a mail; the text is one line that says why, with no input in it."""


@dataclass(frozen=True, slots=True)
class Texts:
    """One mail in words."""

    subject: str
    text: str
    html: str


class MailTemplates:
    """The templates of all mails, each compiled at its first use and then kept.

    A file `templates_dir`/mail/<kind>/<part> replaces the package's own. Values are shown as they
    are, escaped in HTML; a name that a template uses and nobody gave is an error.
    """

    def __init__(self, brand_name: str, templates_dir: Path | None) -> None:
        loaders: list[BaseLoader] = [PackageLoader("notion_backend.mail")]
        if templates_dir is not None:
            loaders.insert(0, FileSystemLoader(templates_dir / "mail"))
        self._environment = Environment(
            loader=ChoiceLoader(loaders),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        speak_languages(self._environment)
        self._brand_name = brand_name
        # 20 µs a mail. Mail programs drop style sheets; media queries stay for those that do not.
        self._inliner = CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)

    def render(self, kind: DeliveryKind, context: Mapping[str, str], language: Language) -> Texts:
        """Fill in the three parts, in this language.

        Raises:
            MailUnrenderable: a template is missing, wrong, or fails with this context.
        """
        context = {**context, "language": language}
        return Texts(
            subject=self._fill(f"{kind}/subject.txt", context),
            text=self._fill(f"{kind}/body.txt", context),
            html=self._inline(f"{kind}/body.html", context),
        )

    def _inline(self, name: str, context: Mapping[str, str]) -> str:
        html = self._fill(name, context)
        try:
            return self._inliner.inline(html)
        except ValueError as error:
            raise MailUnrenderable(f"template {name}: {type(error).__name__}") from error

    def _fill(self, name: str, context: Mapping[str, str]) -> str:
        try:
            return self._environment.get_template(name).render(
                {**context, "brand": self._brand_name}
            )
        except TemplateError as error:
            reason = " ".join(str(error.message).split())
            raise MailUnrenderable(f"template {name}: {reason}") from error
        # A template is a program of the operator's and may raise anything; what it says could
        # repeat the lead's own words, so only the class is told.
        except Exception as error:
            raise MailUnrenderable(f"template {name}: {type(error).__name__}") from error
