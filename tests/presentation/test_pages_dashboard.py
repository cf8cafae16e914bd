"""The dashboard: figures as pictures, and as tables."""

import re
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from notion_backend.core.clock import utcnow
from notion_backend.core.enums import LeadState
from tests.factories import a_lead
from tests.presentation.pages_app import PagesApp, pages_app
from tests.servers.databases import Databases


@pytest.fixture
def fresh(
    tmp_path_factory: pytest.TempPathFactory, databases: Databases
) -> Iterator[tuple[PagesApp, httpx.Client]]:
    """An application of its own: figures are kept for some seconds."""
    with (
        databases.of("sqlite").migrated() as url,
        pages_app(tmp_path_factory.mktemp("pages"), url) as app,
        app.signed_in() as client,
    ):
        yield app, client


def test_the_pictures_show_what_is_stored(fresh: tuple[PagesApp, httpx.Client]) -> None:
    app, client = fresh
    now = utcnow()
    with app.database.writing() as work:
        for days, count in ((0, 2), (3, 4)):
            for _ in range(count):
                oldest = a_lead(work, resume=None, created_at=now - timedelta(days=days))
        done = a_lead(work, resume=None, created_at=now - timedelta(hours=5))
        done.state, done.reached_out_at = (
            LeadState.REACHED_OUT,
            now - timedelta(hours=3, minutes=30),
        )
        done.reached_out_by = "admin"
        work.commit()
    text = client.get("/console/dashboard").text
    heights = [
        float(height)
        for height in re.findall(r'class="bar"[^>]* height="([0-9.]+)"[^>]*><title>', text)
    ]
    assert len(heights) in {2, 3}  # five hours ago may have been yesterday
    assert max(heights) == heights[0] > heights[-1] > 0
    assert "1 h 30 min" in text
    assert f'<a href="/console/leads/{oldest.id - 3}">3 d 0 h</a>' in text
    widths = [float(width) for width in re.findall(r'class="part [^>]* width="([0-9.]+)"', text)]
    assert sum(widths) == pytest.approx(720)
    assert widths[0] == pytest.approx(720 * 6 / 7, abs=0.1)
    assert len(re.findall(r'<tr><th scope="row">', text)) == 30
    assert " style=" not in text


def test_an_empty_service_has_a_dashboard_too(fresh: tuple[PagesApp, httpx.Client]) -> None:
    text = fresh[1].get("/console/dashboard").text
    assert "No lead has arrived yet." in text
    assert 'class="bar"' not in text


def test_strangers_see_no_figures(app: PagesApp) -> None:
    with app.browser() as stranger:
        assert stranger.get("/console/dashboard").status_code == 303
