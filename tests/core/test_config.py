from pathlib import Path

import pytest

from notion_backend.core.config import Settings, load_settings, unknown_keys
from notion_backend.core.errors import ConfigurationError
from notion_backend.core.rates import Rate

SECRET = "wq7Zk2LmX9vB4nTc8RjP1sYd6HgF3aEu"
PRODUCTION = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": SECRET,
    "PUBLIC_URL": "https://leads.firm.example",
    "SMTP_HOST": "smtp.firm.example",
    "ADMIN_EMAIL": "admin@firm.example",
    "MAIL_FROM": "Firm <no-reply@firm.example>",
}


@pytest.fixture(autouse=True)
def clean_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the machine, no `.env` but the test's own."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def load(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return load_settings()


def refusal(monkeypatch: pytest.MonkeyPatch, **values: str) -> str:
    with pytest.raises(ConfigurationError) as refused:
        load(monkeypatch, **values)
    return str(refused.value)


def test_with_nothing_set_everything_has_its_documented_default(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.environment == "development"
    assert settings.database == f"sqlite:///{tmp_path / 'data' / 'notion.db'}"
    assert settings.redis_url == ""
    assert settings.smtp_port == 587
    assert settings.smtp_security == "starttls"
    assert settings.access_token_minutes == 15
    assert settings.refresh_token_days == 14
    assert settings.max_resume_bytes == 10_485_760
    assert settings.intake_rate_limit == Rate(20, 60)
    assert settings.login_rate_limit == Rate(10, 60)
    assert settings.prospect_mail_limit == Rate(3, 3600)
    assert settings.trusted_proxies == ("127.0.0.1",)
    assert settings.served_hosts == ("127.0.0.1",)
    assert settings.shows_api_docs
    assert settings.delivers_in_process


def test_the_environment_comes_before_env_and_env_before_secret_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in ("smtp_password", "brand_name", "smtp_host"):
        (secrets / name).write_text(f"file-{name}\n")
    (tmp_path / ".env").write_text(
        f"BRAND_NAME=dotenv\nSMTP_HOST=dotenv\nSECRETS_DIR={secrets}\n# a remark\n"
    )
    settings = load(monkeypatch, SMTP_HOST="environment")
    assert settings.smtp_host == "environment"
    assert settings.brand_name == "dotenv"
    assert settings.smtp_password.get_secret_value() == "file-smtp_password"


def test_an_empty_value_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, SMTP_PORT="", STAFF_EMAILS="").smtp_port == 587


def test_lists_are_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(
        monkeypatch,
        STAFF_EMAILS="a@firm.example, B <b@firm.example> ,",
        TRUSTED_PROXIES="10.0.0.0/8,::1",
        ALLOWED_HOSTS="firm.example,*.firm.example",
        ALLOWED_ORIGINS="https://firm.example",
    )
    assert settings.staff_emails == ("a@firm.example", "B <b@firm.example>")
    assert settings.trusted_proxies == ("10.0.0.0/8", "::1")
    assert settings.served_hosts == ("firm.example", "*.firm.example", "127.0.0.1")


def test_the_look_of_pages_is_checked_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    logo = tmp_path / "logo.png"
    logo.write_bytes(b"\x89PNG\r\n\x1a\n")
    settings = load(
        monkeypatch,
        BRAND_COLOR="#0A6C74",
        BRAND_LOGO=str(logo),
        FORM_TITLE="Work with us",
        FORM_TEXT="We read every résumé.",
        PRIVACY_URL="http://localhost:8080/privacy",
    )
    assert (settings.brand_color, settings.brand_logo) == ("#0a6c74", logo)
    assert settings.privacy_url == "http://localhost:8080/privacy"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is not a PNG, SVG, JPEG or WebP picture"),
        (b"<html><svg></svg></html>", "is not a PNG, SVG, JPEG or WebP picture"),
        (b"GIF89a", "is not a PNG, SVG, JPEG or WebP picture"),
        (b"\xff\xd8\xff" + b"x" * 200_000, "has more than 200000 bytes"),
    ],
)
def test_a_logo_that_pages_cannot_show_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, reason: str
) -> None:
    (tmp_path / "logo.png").write_bytes(content)
    said = refusal(monkeypatch, BRAND_LOGO=str(tmp_path / "logo.png"))
    assert said == f"BRAND_LOGO: {tmp_path / 'logo.png'} {reason}"


def test_a_rate_can_be_turned_off(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, INTAKE_RATE_LIMIT="off", LOGIN_RATE_LIMIT="5/hour")
    assert settings.intake_rate_limit is None
    assert load(monkeypatch, FORM_MIN_SECONDS="off").form_min_seconds is None
    assert settings.login_rate_limit == Rate(5, 3600)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENVIRONMENT", "staging"),
        ("SECRET_KEY", "short"),
        ("PUBLIC_URL", "firm.example"),
        ("PUBLIC_URL", "https://firm.example/?q"),
        ("PUBLIC_URL", "https://firm.example/below"),
        ("REDIS_URL", "http://127.0.0.1"),
        ("SMTP_HOST", "a b"),
        ("MAIL_FROM", "A <a@firm.example>, B <b@firm.example>"),
        ("BRAND_NAME", "Firm\nBcc: x@y"),
        ("BRAND_COLOR", "red"),
        ("BRAND_COLOR", "#12345"),
        ("BRAND_COLOR", "#123456; } body { display: none"),
        ("BRAND_LOGO", "/no/such/file"),
        ("BRAND_LOGO", "/"),
        ("FORM_TITLE", "a" * 201),
        ("FORM_TEXT", "a\nb"),
        ("PRIVACY_URL", "privacy.html"),
        ("PRIVACY_URL", "javascript:alert(1)"),
        ("PRIVACY_URL", "http://firm.example/privacy"),
        ("PRIVACY_URL", "https://firm.example/a b"),
        ("PRIVACY_URL", "mailto:privacy@firm.example"),
        ("TEMPLATES_DIR", "/no/such/folder"),
        ("METRICS_TOKEN", "é for all"),
        ("ADMIN_EMAIL", "nobody"),
        ("SMTP_PORT", "many"),
        ("SMTP_PORT", "70000"),
        ("SMTP_SECURITY", "ssl"),
        ("MAIL_FROM", "Firm"),
        ("STAFF_EMAILS", "a@firm.example,b"),
        ("SECRETS_DIR", "/no/such/folder"),
        ("ACCESS_TOKEN_MINUTES", "0"),
        ("ARGON2_MEMORY_KIB", "8"),
        ("ARGON2_PASSES", "0"),
        ("ARGON2_LANES", "65"),
        ("MAX_RESUME_BYTES", "-1"),
        ("RESUME_STORE", "s3://bucket"),
        ("INTAKE_RATE_LIMIT", "20"),
        ("LOGIN_RATE_LIMIT", "0/minute"),
        ("PROSPECT_MAIL_LIMIT", "3 per hour"),
        ("FORM_MIN_SECONDS", "-1"),
        ("FORM_MIN_SECONDS", "soon"),
        ("TRUSTED_PROXIES", "proxy.local"),
        ("ALLOWED_HOSTS", "https://firm.example"),
        ("ALLOWED_ORIGINS", "https://firm.example/form"),
        ("API_DOCS", "maybe"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "loud"),
        ("AUTO_MIGRATE", "perhaps"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    said = refusal(monkeypatch, **{name: value})
    assert said.startswith(f"{name}: ")
    assert "\n" not in said


def test_a_wrong_secret_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "hunter2" not in refusal(monkeypatch, SECRET_KEY="hunter2")


def test_production_starts_when_all_is_as_it_must_be(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, **PRODUCTION)
    assert settings.in_production
    assert not settings.shows_api_docs
    assert settings.served_hosts == ("leads.firm.example",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "a" * 64),
        ("SECRET_KEY", "0123456789abcdef" * 2),
        ("SECRET_KEY", "abcdefghijklmnopqrstuvwxyz0123456789"),
        ("METRICS_TOKEN", "short"),
        ("ARGON2_MEMORY_KIB", "19455"),
        ("ARGON2_PASSES", "1"),
        ("PUBLIC_URL", ""),
        ("PUBLIC_URL", "http://leads.firm.example"),
        ("SMTP_HOST", ""),
        ("ADMIN_EMAIL", ""),
        ("MAIL_FROM", ""),
        ("MAIL_REPLY_TO", "desk@localhost.localdomain"),
        ("STAFF_EMAILS", "a@firm.example,b@localhost.localdomain"),
    ],
)
def test_production_refuses(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    said = refusal(monkeypatch, **{**PRODUCTION, name: value})
    assert said.startswith(f"{name}: ")
    assert ";" not in said.replace("; `openssl", "")


def test_production_refuses_to_sign_in_without_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    said = refusal(
        monkeypatch, **PRODUCTION, SMTP_USERNAME="u", SMTP_PASSWORD="p", SMTP_SECURITY="none"
    )
    assert said.startswith("SMTP_SECURITY: ")


def test_an_unknown_key_is_told_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("SMTP_HOTS=mail.firm.example\nSMTP_PORT=25\n")
    assert unknown_keys() == ["SMTP_HOTS in .env is no setting; did you mean SMTP_HOST?"]
