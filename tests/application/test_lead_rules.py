from datetime import UTC, datetime, timedelta

import pytest

from notion_backend.application.actor import Actor
from notion_backend.application.leads.lead_rules import Done, LeadChange, apply_change, may_undo
from notion_backend.core.enums import LeadState, Role
from notion_backend.core.errors import InvalidInput
from notion_backend.data.models import Lead

MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LATER = MONDAY + timedelta(hours=1)
ADA = Actor("ada", Role.STAFF)


def pending() -> Lead:
    lead = Lead(state=LeadState.PENDING, created_at=MONDAY, updated_at=MONDAY, version=1)
    lead.name("Zoë", "Ångström", "zoe@example.com")
    return lead


def reached_out() -> Lead:
    lead = pending()
    apply_change(lead, LeadChange(state=LeadState.REACHED_OUT), ADA, MONDAY)
    return lead


def test_reaching_out_says_who_and_when() -> None:
    lead = pending()
    done = apply_change(lead, LeadChange(state=LeadState.REACHED_OUT), ADA, LATER)
    assert done == [Done("lead.reached_out")]
    assert (lead.state, lead.version, lead.updated_at) == (LeadState.REACHED_OUT, 2, LATER)
    assert (lead.reached_out_at, lead.reached_out_by) == (LATER, "ada")


@pytest.mark.parametrize("lead", [pending(), reached_out()])
def test_what_a_lead_is_already_changes_nothing(lead: Lead) -> None:
    version = lead.version
    change = LeadChange(state=lead.state, first_name=" Zoe\u0308 ", email="zoe@EXAMPLE.com")
    assert apply_change(lead, change, ADA, LATER) == []
    assert (lead.version, lead.updated_at) == (version, MONDAY)


def test_a_lead_goes_back_for_a_reason() -> None:
    lead = reached_out()
    change = LeadChange(state=LeadState.PENDING, reason=" wrong number\r\ntry again ")
    assert apply_change(lead, change, ADA, LATER) == [
        Done("lead.reopened", "wrong number\ntry again")
    ]
    assert (lead.state, lead.reached_out_at, lead.reached_out_by) == (LeadState.PENDING, None, None)


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (None, "required"),
        ("", "required"),
        (" \n ", "required"),
        ("x" * 1001, "too_long"),
        ("a\x00b", "forbidden_character"),
        ("a\x1b[2J", "forbidden_character"),
    ],
)
def test_a_lead_does_not_go_back_without_a_good_reason(reason: str | None, code: str) -> None:
    lead = reached_out()
    with pytest.raises(InvalidInput) as caught:
        apply_change(lead, LeadChange(state=LeadState.PENDING, reason=reason), ADA, LATER)
    assert [(error.field, error.code) for error in caught.value.errors] == [("reason", code)]
    assert lead.state is LeadState.REACHED_OUT


def test_a_correction_moves_what_search_and_order_look_at() -> None:
    lead = pending()
    change = LeadChange(last_name=" O'Brien", email="Z@BÜCHER.example")
    assert apply_change(lead, change, ADA, LATER) == [Done("lead.corrected", "last_name, email")]
    assert (lead.first_name, lead.last_name, lead.email) == ("Zoë", "O'Brien", "Z@bücher.example")
    assert lead.last_name_sort == "o'brien"
    assert lead.search_text == "zoë\no'brien\nz@bücher.example"


def test_state_and_correction_go_together_as_one_version() -> None:
    lead = pending()
    change = LeadChange(state=LeadState.REACHED_OUT, first_name="Zoe")
    done = apply_change(lead, change, ADA, LATER)
    assert [one.action for one in done] == ["lead.reached_out", "lead.corrected"]
    assert lead.version == 2


def test_all_wrong_names_are_told_of_at_once_and_nothing_is_changed() -> None:
    lead = pending()
    change = LeadChange(state=LeadState.REACHED_OUT, first_name="", email="x", last_name="New")
    with pytest.raises(InvalidInput) as caught:
        apply_change(lead, change, ADA, LATER)
    assert {error.field for error in caught.value.errors} == {"first_name", "email"}
    assert (lead.state, lead.last_name) == (LeadState.PENDING, "Ångström")


def test_whoever_marked_a_lead_may_undo_it_until_it_is_changed() -> None:
    lead = reached_out()
    assert may_undo(lead, ADA)
    assert not may_undo(lead, Actor("bob", Role.ADMIN))
    apply_change(lead, LeadChange(first_name="Zoe"), ADA, LATER)
    assert not may_undo(lead, ADA)
    assert not may_undo(pending(), ADA)
