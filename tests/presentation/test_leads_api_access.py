"""Who may do what with leads over HTTP; and the figures."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.presentation.leads_app import LeadsApp, leads_app, refused


@pytest.fixture
def app(tmp_path: Path, sqlite_url: str) -> Iterator[LeadsApp]:
    with leads_app(tmp_path, sqlite_url) as served:
        yield served


def test_without_a_token_nothing_is_told_and_nothing_touched(app: LeadsApp) -> None:
    lead = app.store()
    for method, path, body in (
        ("GET", "/leads", None),
        ("GET", "/leads?limit=nonsense", None),
        ("GET", "/leads/export?format=csv", None),
        ("GET", f"/leads/{lead.id}", None),
        ("GET", "/leads/999", None),
        ("PATCH", f"/leads/{lead.id}", {"state": "REACHED_OUT"}),
        ("PATCH", f"/leads/{lead.id}", {"nonsense": 1}),
        ("GET", f"/leads/{lead.id}/resume", None),
        ("GET", f"/leads/{lead.id}/events", None),
        ("DELETE", f"/leads/{lead.id}", None),
        ("GET", "/stats", None),
    ):
        refused(app.nobody.request(method, path, json=body), 401, "not_authenticated")
    assert app.actions(lead.id) == []


def test_staff_may_not_erase(app: LeadsApp) -> None:
    lead = app.store()
    for lead_id in (lead.id, 999, 0):
        refused(app.staff.delete(f"/leads/{lead_id}"), 403, "permission_denied")
    assert app.staff.get(f"/leads/{lead.id}").status_code == 200
    assert app.actions(lead.id) == []


def test_figures_have_this_shape(app: LeadsApp) -> None:
    lead = app.store(resume=None)
    figures = app.staff.get("/stats").json()
    assert figures["leads_by_state"] == {"PENDING": 1, "REACHED_OUT": 0}
    assert len(figures["leads_by_day"]) == 30
    assert figures["leads_by_day"][-1] == {"day": f"{lead.created_at:%Y-%m-%d}", "count": 1}
    assert figures["median_first_contact_seconds"] is None
    assert figures["oldest_pending"]["id"] == lead.id
    assert set(figures["mail"]) == {"by_status", "oldest_due_at", "workers", "stopped", "trouble"}
