"""Settings: from the environment, from `.env`, and from one file per secret in `SECRETS_DIR`.

`docs/configuration.md` describes each one; a test holds the two together. A wrong value stops the
start with one line (`ConfigurationError`), before anything is opened.
"""

from difflib import get_close_matches
from email.utils import parseaddr
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError

from notion_backend.core.errors import ConfigurationError
from notion_backend.core.languages import Language
from notion_backend.core.rates import Rate, parse_rate
from notion_backend.core.setting_types import (
    check_color,
    check_folder,
    check_host,
    check_hosts,
    check_line,
    check_link,
    check_mail_address,
    check_networks,
    check_origins,
    check_picture,
    check_public_url,
    check_redis_url,
    none_if_off,
    split_commas,
)

MINIMUM_SECRET_BYTES = 32
MINIMUM_TOKEN_LENGTH = 16
MINIMUM_ARGON2_KIB = 19 * 1024
MINIMUM_ARGON2_PASSES = 2
"""The least that OWASP's Password Storage Cheat Sheet names for argon2id."""
ENV_FILE = Path(".env")

_Commas = BeforeValidator(split_commas)
RateSetting = Annotated[Rate | None, NoDecode, BeforeValidator(parse_rate)]
SecondsOrOff = Annotated[Annotated[int, Field(ge=0, le=3600)] | None, BeforeValidator(none_if_off)]
MailAddress = Annotated[str, AfterValidator(check_mail_address)]
MailAddresses = Annotated[tuple[MailAddress, ...], NoDecode, _Commas]
Networks = Annotated[tuple[str, ...], NoDecode, _Commas, AfterValidator(check_networks)]
Hosts = Annotated[tuple[str, ...], NoDecode, _Commas, AfterValidator(check_hosts)]
Origins = Annotated[tuple[str, ...], NoDecode, _Commas, AfterValidator(check_origins)]


class Settings(BaseSettings):
    """Every setting with its default; in the environment the names are written in capitals."""

    model_config = SettingsConfigDict(
        env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    environment: Literal["development", "production"] = "development"
    data_dir: Path = Path("./data")
    database_url: str = ""
    redis_url: Annotated[str, AfterValidator(check_redis_url)] = ""
    secret_key: SecretStr = SecretStr("")
    public_url: Annotated[str, AfterValidator(check_public_url)] = ""

    admin_username: str = "admin"
    admin_email: MailAddress = "admin@localhost.localdomain"
    admin_password: SecretStr = SecretStr("")

    smtp_host: Annotated[str, AfterValidator(check_host)] = ""
    smtp_port: Annotated[int, Field(ge=1, le=65535)] = 587
    smtp_username: str = ""
    smtp_password: SecretStr = SecretStr("")
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    mail_from: MailAddress = "Notion <no-reply@localhost.localdomain>"
    mail_reply_to: MailAddress = ""
    staff_emails: MailAddresses = ()

    brand_name: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(check_line)] = (
        "Notion"
    )
    brand_color: Annotated[str, AfterValidator(check_color)] = ""
    brand_logo: Annotated[Path | None, AfterValidator(check_picture)] = None
    form_title: Annotated[str, Field(max_length=200), AfterValidator(check_line)] = ""
    form_text: Annotated[str, Field(max_length=1000), AfterValidator(check_line)] = ""
    privacy_url: Annotated[str, AfterValidator(check_link)] = ""
    templates_dir: Annotated[Path | None, AfterValidator(check_folder)] = None
    default_language: Language = Language.ENGLISH
    auto_migrate: bool = True
    secrets_dir: Annotated[Path | None, AfterValidator(check_folder)] = None

    access_token_minutes: Annotated[int, Field(ge=1, le=1440)] = 15
    refresh_token_days: Annotated[int, Field(ge=1, le=365)] = 14
    argon2_memory_kib: Annotated[int, Field(ge=1024, le=4 * 1024 * 1024)] = 64 * 1024
    argon2_passes: Annotated[int, Field(ge=1, le=100)] = 3
    argon2_lanes: Annotated[int, Field(ge=1, le=64)] = 4
    max_resume_bytes: Annotated[int, Field(ge=1, le=1 << 30)] = 10 * 1024 * 1024
    resume_store: Literal["database"] = "database"

    intake_rate_limit: RateSetting = Rate(20, 60)
    login_rate_limit: RateSetting = Rate(10, 60)
    prospect_mail_limit: RateSetting = Rate(3, 3600)
    form_min_seconds: SecondsOrOff = 2
    form_proof_of_work: Literal["on", "off"] = "off"
    embed_origins: Origins = ()
    trusted_proxies: Networks = ("127.0.0.1",)
    allowed_hosts: Hosts = ()
    allowed_origins: Origins = ()

    api_docs: Literal["on", "off"] | None = None
    metrics_token: SecretStr = SecretStr("")
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def in_production(self) -> bool:
        """Tell whether the refusals of production hold."""
        return self.environment == "production"

    @cached_property
    def database(self) -> str:
        """The database URL, the embedded default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'notion.db'}"

    @property
    def base_url(self) -> str:
        """The only source of links in mails; no trailing slash."""
        return self.public_url or "http://127.0.0.1:8000"

    @property
    def served_hosts(self) -> tuple[str, ...]:
        """Host names that requests may name; loopback besides, always."""
        return (*self.allowed_hosts, urlsplit(self.base_url).hostname or "127.0.0.1")

    @property
    def shows_api_docs(self) -> bool:
        """Tell whether `/docs`, `/redoc` and `/openapi.json` are served."""
        return self.api_docs == "on" or (self.api_docs is None and not self.in_production)

    @property
    def delivers_in_process(self) -> bool:
        """Tell whether `serve` sends mail itself: without Redis there is nobody else."""
        return not self.redis_url


def load_settings() -> Settings:
    """Read all settings, the environment before `.env` before `SECRETS_DIR`.

    Raises:
        ConfigurationError: a value is wrong, or production refuses it; one line per problem.
    """
    env_file = ENV_FILE if ENV_FILE.is_file() else None
    try:
        folder = Settings(_env_file=env_file).secrets_dir
        settings = Settings(_env_file=env_file, _secrets_dir=folder)
    except ValidationError as error:
        raise ConfigurationError("; ".join(_sentences(error))) from None
    except (SettingsError, UnicodeDecodeError, OSError) as error:
        raise ConfigurationError(f"settings cannot be read: {error}") from None
    if problems := _problems(settings):
        raise ConfigurationError("; ".join(problems))
    return settings


def unknown_keys(env_file: Path = ENV_FILE) -> list[str]:
    """Return a warning for each key in `.env` that no setting reads, with the nearest name."""
    if not env_file.is_file():
        return []
    known = [name.upper() for name in Settings.model_fields]
    warnings = []
    for key in dotenv_values(env_file):
        if key.upper() not in known:
            nearest = get_close_matches(key.upper(), known, n=1)
            hint = f"; did you mean {nearest[0]}?" if nearest else ""
            warnings.append(f"{key} in {env_file} is no setting{hint}")
    return warnings


def _sentences(error: ValidationError) -> list[str]:
    sentences = []
    for problem in error.errors(include_url=False, include_input=False):
        name = str(problem["loc"][0]).upper() if problem["loc"] else "settings"
        sentences.append(f"{name}: {problem['msg'].removeprefix('Value error, ')}")
    return sentences


def _problems(settings: Settings) -> list[str]:
    problems = []
    secret = settings.secret_key.get_secret_value()
    if secret and len(secret.encode()) < MINIMUM_SECRET_BYTES:
        problems.append(f"SECRET_KEY: must be {MINIMUM_SECRET_BYTES} bytes or more")
    if not settings.metrics_token.get_secret_value().isascii():
        problems.append("METRICS_TOKEN: must be ASCII, as headers are")
    if settings.smtp_username and not settings.smtp_password.get_secret_value():
        problems.append("SMTP_PASSWORD: is missing beside SMTP_USERNAME")
    if settings.in_production:
        problems += _refusals_of_production(settings)
    return problems


def _is_regular(secret: str) -> bool:
    """Tell whether few characters, repetition or a walk along the alphabet make it up."""
    steps = [abs(ord(one) - ord(next_one)) for one, next_one in pairwise(secret)]
    walks = sum(step <= 1 for step in steps) > len(steps) / 2
    return walks or len(set(secret)) < 10 or secret in (secret + secret)[1:-1]


def _refusals_of_production(settings: Settings) -> list[str]:
    problems = []
    secret = settings.secret_key.get_secret_value()
    if not secret:
        problems.append("SECRET_KEY: production needs one; `openssl rand -hex 32` makes one")
    elif _is_regular(secret):
        problems.append("SECRET_KEY: is too regular; `openssl rand -hex 32` makes a good one")
    token = settings.metrics_token.get_secret_value()
    if token and len(token) < MINIMUM_TOKEN_LENGTH:
        problems.append(f"METRICS_TOKEN: must be {MINIMUM_TOKEN_LENGTH} characters or more")
    if settings.argon2_memory_kib < MINIMUM_ARGON2_KIB:
        problems.append(f"ARGON2_MEMORY_KIB: production needs {MINIMUM_ARGON2_KIB} or more")
    if settings.argon2_passes < MINIMUM_ARGON2_PASSES:
        problems.append(f"ARGON2_PASSES: production needs {MINIMUM_ARGON2_PASSES} or more")
    if not settings.public_url:
        problems.append("PUBLIC_URL: production needs the https address that people use")
    elif not settings.public_url.startswith("https://"):
        problems.append("PUBLIC_URL: production needs https")
    if not settings.smtp_host:
        problems.append("SMTP_HOST: production needs a mail server")
    if settings.smtp_username and settings.smtp_security == "none":
        problems.append("SMTP_SECURITY: production refuses to sign in without TLS")
    named = {
        "ADMIN_EMAIL": (settings.admin_email,),
        "MAIL_FROM": (settings.mail_from,),
        "MAIL_REPLY_TO": (settings.mail_reply_to,),
        "STAFF_EMAILS": settings.staff_emails,
    }
    for name, addresses in named.items():
        domains = {parseaddr(address)[1].rpartition("@")[2] for address in addresses}
        if "localhost.localdomain" in domains:
            problems.append(f"{name}: production needs an address outside localhost.localdomain")
    return problems
