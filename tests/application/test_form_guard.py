from datetime import timedelta

import pytest

from notion_backend.application.intake import form_guard
from notion_backend.application.intake.form_guard import (
    BAIT_FIELD,
    BAIT_TAKEN,
    STAMP_FIELD,
    TOO_QUICK,
    FormGuard,
)
from notion_backend.core.clock import utcnow
from tests.accounts import SECRET

GUARD = FormGuard(SECRET, 2)


def shown_ago(monkeypatch: pytest.MonkeyPatch, seconds: float) -> str:
    """The stamp of a form that was shown so long ago."""
    with monkeypatch.context() as patch:
        patch.setattr(form_guard, "utcnow", lambda: utcnow() - timedelta(seconds=seconds))
        return GUARD.stamp()


def test_a_form_that_took_its_time_is_not_suspicious(monkeypatch: pytest.MonkeyPatch) -> None:
    assert GUARD.suspicions({STAMP_FIELD: shown_ago(monkeypatch, 2.1), BAIT_FIELD: ""}) == ()


def test_a_form_that_is_sent_sooner_is_flagged(monkeypatch: pytest.MonkeyPatch) -> None:
    assert GUARD.suspicions({STAMP_FIELD: shown_ago(monkeypatch, 1.5)}) == (TOO_QUICK,)
    assert GUARD.suspicions({STAMP_FIELD: shown_ago(monkeypatch, -60)}) == (TOO_QUICK,)


def test_a_stamp_that_is_not_ours_is_flagged(monkeypatch: pytest.MonkeyPatch) -> None:
    stamp = shown_ago(monkeypatch, 60)
    for forged in (stamp[:-1], f"1{stamp}", stamp.replace("-", ""), "x", "-", "nan-é"):
        assert GUARD.suspicions({STAMP_FIELD: forged}) == (TOO_QUICK,), forged


def test_a_field_that_people_do_not_see_is_a_bait() -> None:
    assert GUARD.suspicions({BAIT_FIELD: "https://spam.example"}) == (BAIT_TAKEN,)


def test_a_program_that_sends_no_stamp_is_not_flagged() -> None:
    assert GUARD.suspicions({}) == ()


def test_the_time_can_be_turned_off() -> None:
    guard = FormGuard(SECRET, None)
    assert guard.suspicions({STAMP_FIELD: guard.stamp()}) == ()
    assert guard.suspicions({BAIT_FIELD: "x"}) == (BAIT_TAKEN,)
