"""Takes the pictures of every page; `scripts/pictures [NAME ...]`."""

import random
import sys
import tempfile
from datetime import timedelta
from pathlib import Path

import httpx
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import select

from notion_backend.core.clock import utcnow
from notion_backend.core.enums import LeadState
from notion_backend.data.models import Lead
from tests.browser.conftest import _ARGUMENTS
from tests.browser.every_page import PAGES, Shown
from tests.browser.sample import PASSWORD, Sample, database_of, store_sample, submit
from tests.servers.commands import close_nursery
from tests.servers.parts import program_of
from tests.servers.service import Service
from tests.service.client import SETTINGS

IMAGES = Path(__file__).parents[2] / "docs" / "images"
NARROW = {"form", "leads"}
"""Shown on a telephone too."""
_TALLEST = 1300
_FIRST = (
    "Ada",
    "Linus",
    "Grace",
    "Miriam",
    "Kofi",
    "Yuki",
    "Lena",
    "Omar",
    "Zoë",
    "Tomás",
    "Priya",
)
_LAST = ("Okafor", "Lindqvist", "Hansen", "Sørensen", "Mensah", "Tanaka", "Weiß", "Haddad", "Núñez")


def main(names: list[str]) -> int:
    IMAGES.mkdir(exist_ok=True)
    settings = SETTINGS | {"ADMIN_PASSWORD": PASSWORD, "EMBED_ORIGINS": "https://www.example.com"}
    with tempfile.TemporaryDirectory() as folder:
        with Service(Path(folder), **settings) as service, sync_playwright() as playwright:
            sample = store_sample(service)
            _store_a_month(service)
            browser = playwright.chromium.launch(
                executable_path=program_of("chromium"), args=_ARGUMENTS
            )
            for shown in PAGES:
                if not names or shown.name in names:
                    _take(browser, sample, shown)
            browser.close()
        close_nursery()
    return 0


def _take(browser: Browser, sample: Sample, shown: Shown) -> None:
    looks = {("light", 1000), ("dark", 1000)}
    if shown.name in NARROW:
        looks |= {("light", 360), ("dark", 360)}
    for scheme, width in sorted(looks):
        context = browser.new_context(
            base_url=sample.base_url,
            color_scheme=scheme,  # type: ignore[arg-type]
            viewport={"width": width, "height": 640},
        )
        if shown.signed_in:
            sample.sign_in(context)
        page = context.new_page()
        shown.show(page, sample)
        page.wait_for_timeout(300)
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": width, "height": min(height, _TALLEST)})
        suffix = "-narrow" if width == 360 else ""
        page.screenshot(path=IMAGES / f"{shown.name}-{scheme}{suffix}.png")
        context.close()
    sys.stdout.write(f"{shown.name}\n")


def _store_a_month(service: Service) -> None:
    """Add leads, then spread them over a month and let most have been answered."""
    chance = random.Random(7)
    with httpx.Client(base_url=service.base_url, trust_env=False) as client:
        for number in range(45):
            first, last = chance.choice(_FIRST), chance.choice(_LAST)
            submit(client, first, last, f"{first[0].lower()}{number}@example.com")
    database, now = database_of(service), utcnow()
    with database.writing() as work:
        for lead in work._session.scalars(select(Lead).order_by(Lead.id).offset(6)):
            lead.created_at = now - timedelta(days=30 * chance.random() ** 1.5, minutes=5)
            if chance.random() < 0.7:
                waited = timedelta(hours=1 + 30 * chance.random() ** 3)
                lead.state = LeadState.REACHED_OUT
                lead.reached_out_at = min(lead.created_at + waited, now)
                lead.reached_out_by = "admin"
        work.commit()
    database.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
