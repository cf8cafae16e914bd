"""Leads over HTTP: lists, one lead, its changes and its end."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from notion_backend.core.enums import LeadState
from notion_backend.presentation.api.lead_schemas import LeadOut
from notion_backend.presentation.api.schemas import PageOf
from tests.presentation.leads_app import LeadsApp, leads_app, refused

MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LARGEST = 2**63 - 1


@pytest.fixture
def app(tmp_path: Path, sqlite_url: str) -> Iterator[LeadsApp]:
    with leads_app(tmp_path, sqlite_url) as served:
        yield served


def test_a_lead_has_just_these_fields(app: LeadsApp) -> None:
    lead = app.store(created_at=MONDAY, flags=[{"code": "c", "reason": "r"}])
    assert app.staff.get(f"/leads/{lead.id}").json() == {
        "id": lead.id,
        "reference": lead.reference,
        "first_name": "Zoë",
        "last_name": "Ångström",
        "email": "zoe@example.com",
        "state": "PENDING",
        "resume": {
            "filename": "résumé.pdf",
            "media_type": "application/pdf",
            "size": lead.resume_size,
            "sha256": lead.resume_sha256,
        },
        "created_at": "2026-11-23T09:30:00.000000Z",
        "updated_at": "2026-11-23T09:30:00.000000Z",
        "reached_out_at": None,
        "reached_out_by": None,
        "flags": [{"code": "c", "reason": "r"}],
    }


def test_a_lead_in_a_list_is_written_as_by_itself(app: LeadsApp) -> None:
    hostile = '\u2028</script>\\"\U0001f600'
    app.store(created_at=MONDAY, first_name=hostile, flags=[{"code": "c", "reason": hostile}])
    app.store(created_at=MONDAY.replace(microsecond=70), resume=None)
    reached = app.store(created_at=MONDAY.replace(microsecond=123_000))
    app.staff.patch(f"/leads/{reached.id}", json={"state": "REACHED_OUT"})

    answer = app.staff.get("/leads")

    assert answer.headers["content-type"] == "application/json"
    listed = answer.json()["items"]
    assert len(listed) == 3
    assert listed == [app.staff.get(f"/leads/{lead['id']}").json() for lead in listed]
    page = PageOf[LeadOut].model_validate_json(answer.content)
    assert page.model_dump(mode="json") == answer.json()


def test_a_list_is_filtered_sorted_and_paged(app: LeadsApp) -> None:
    for number, name in enumerate(["Ann", "bob", "Čapek", "Dora", "bo%b"]):
        app.store(last_name=name, created_at=MONDAY + timedelta(hours=number), resume=None)

    def names(**parameters: str) -> list[str]:
        answer = app.staff.get("/leads", params=parameters)
        assert answer.status_code == 200, answer.text
        return [lead["last_name"] for lead in answer.json()["items"]]

    assert names() == ["bo%b", "Dora", "Čapek", "bob", "Ann"]
    assert names(state="", q="", cursor="", flagged="", created_from="") == names()
    assert names(sort="last_name") == ["Ann", "bo%b", "bob", "Dora", "Čapek"]
    assert names(q="ČAP") == ["Čapek"]
    assert names(q="%") == ["bo%b"]
    assert names(q="_") == names(q="x" * 10_000) == names(state="REACHED_OUT") == []
    hours = {"created_from": "2026-11-23T11:30:00+01:00", "created_to": "2026-11-23t12:30:00z"}
    assert names(**hours) == ["Čapek", "bob"]
    first = app.staff.get("/leads", params={"limit": 3}).json()
    rest = app.staff.get("/leads", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert rest["next_cursor"] is None
    assert [lead["last_name"] for lead in first["items"] + rest["items"]] == names()
    assert first["items"][0]["resume"] is None


WRONG_PARAMETERS = [
    ("limit=0", "limit"),
    ("limit=-1", "limit"),
    ("limit=201", "limit"),
    ("limit=1e9", "limit"),
    ("limit=NaN", "limit"),
    (f"limit={2**63}", "limit"),
    ("limit=", "limit"),
    ("sort=name", "sort"),
    ("sort=-CREATED_AT", "sort"),
    ("sort=", "sort"),
    ("sort=created_at;DROP TABLE leads", "sort"),
    ("state=pending", "state"),
    ("state=NEW", "state"),
    ("flagged=1", "flagged"),
    ("flagged=yes", "flagged"),
    ("created_from=2026-11-23", "created_from"),
    ("created_from=2026-11-23T09:30:00", "created_from"),
    ("created_to=1700000000", "created_to"),
    ("created_to=2026-02-30T00:00:00Z", "created_to"),
    ("cursor=abc", "cursor"),
    ("cursor=%C3%A9", "cursor"),
    ("q=a%00b", "q"),
    ("limit=1&limit=2", "query"),
    ("q=&q=", "query"),
]


def test_a_wrong_parameter_is_named(app: LeadsApp) -> None:
    for query, field in WRONG_PARAMETERS:
        refused(app.staff.get(f"/leads?{query}"), 422, "validation", field)


def test_a_cursor_that_was_cut_or_belongs_elsewhere_is_refused(app: LeadsApp) -> None:
    for _ in range(2):
        app.store(resume=None)
    cursor = app.staff.get("/leads?limit=1").json()["next_cursor"]
    for query in (f"cursor={cursor[:-2]}", f"cursor={cursor}&state=PENDING", f"cursor=A{cursor}"):
        refused(app.staff.get(f"/leads?{query}"), 422, "validation", "cursor")


def test_a_query_that_is_no_utf_8_is_refused(app: LeadsApp) -> None:
    refused(app.staff.get("/leads?q=%FF"), 400, "bad_request")


ODD_MOMENTS = [
    ("0000-01-01T00:00:00Z", 1),
    ("0001-01-01T00:00:00+23:59", 1),
    ("9999-12-31T23:59:59-23:59", 0),
    ("2026-11-23T09:29:60Z", 1),
    ("2026-11-23T09:30:00.0000001Z", 1),
    ("2026-11-23T09:30:00.000001Z", 0),
]


def test_odd_moments_are_moments(app: LeadsApp) -> None:
    app.store(created_at=MONDAY)
    for moment, count in ODD_MOMENTS:
        answer = app.staff.get("/leads", params={"created_from": moment})
        assert (answer.status_code, len(answer.json()["items"])) == (200, count), moment


def test_what_is_no_id_is_refused(app: LeadsApp) -> None:
    for lead_id in ("0", str(LARGEST + 1), "9" * 19):
        refused(app.staff.get(f"/leads/{lead_id}"), 422, "validation", "lead_id")
    for lead_id in ("-1", "abc", "1.5", "9" * 5000, "%D9%A1"):
        refused(app.staff.get(f"/leads/{lead_id}"), 404, "not_found")


def test_an_export_cannot_be_changed_or_erased(app: LeadsApp) -> None:
    for method in ("PATCH", "DELETE"):
        refused(app.admin.request(method, "/leads/export"), 405, "method_not_allowed")


def test_unknown_and_erased_leads_are_answered_alike(app: LeadsApp) -> None:
    erased = app.store().id
    assert app.admin.delete(f"/leads/{erased}").status_code == 204
    answers = []
    for lead_id in (erased, erased + 1, LARGEST):
        answers += [app.staff.get(f"/leads/{lead_id}{path}") for path in ("", "/resume", "/events")]
        answers.append(app.staff.patch(f"/leads/{lead_id}", json={"state": "REACHED_OUT"}))
        answers.append(app.admin.delete(f"/leads/{lead_id}"))
    for answer in answers:
        refused(answer, 404, "not_found")
    bodies = {answer.text.replace(answer.json()["request_id"], "") for answer in answers}
    assert len(bodies) == 1


def test_a_patch_answers_with_the_new_version(app: LeadsApp) -> None:
    lead = app.store()
    before = app.staff.get(f"/leads/{lead.id}")
    answer = app.staff.patch(f"/leads/{lead.id}", json={"state": "REACHED_OUT"})
    after = app.staff.get(f"/leads/{lead.id}")
    assert answer.status_code == 200
    assert (answer.json(), answer.headers["etag"]) == (after.json(), after.headers["etag"])
    assert answer.json()["reached_out_by"] == "ada"
    assert answer.headers["etag"] != before.headers["etag"]
    assert not answer.headers["etag"].startswith("W/")


WRONG_CHANGES: list[tuple[object, str]] = [
    ({}, "body"),
    ({"state": None}, "state"),
    ({"state": "DONE"}, "state"),
    ({"first_name": None}, "first_name"),
    ({"first_name": ""}, "first_name"),
    ({"last_name": "a\x00b"}, "last_name"),
    ({"last_name": 7}, "last_name"),
    ({"email": "a@b"}, "email"),
    ({"reason": "because"}, "body"),
    ({"state": "PENDING"}, "reason"),
    ({"state": "PENDING", "reason": "x" * 1001}, "reason"),
    ({"state": "REACHED_OUT", "id": 9}, "id"),
    ({"created_at": "2026-11-23T09:30:00Z"}, "created_at"),
    ([], "body"),
    ("REACHED_OUT", "body"),
]


def test_a_wrong_change_is_refused_and_leaves_nothing(app: LeadsApp) -> None:
    lead = app.store(state=LeadState.REACHED_OUT)
    before = app.staff.get(f"/leads/{lead.id}")
    for body, field in WRONG_CHANGES:
        refused(app.staff.patch(f"/leads/{lead.id}", json=body), 422, "validation", field)
    after = app.staff.get(f"/leads/{lead.id}")
    assert (after.json(), after.headers["etag"]) == (before.json(), before.headers["etag"])
    assert app.actions(lead.id) == []


def test_a_lone_surrogate_is_no_name(app: LeadsApp) -> None:
    lead = app.store()
    answer = app.staff.patch(
        f"/leads/{lead.id}",
        content=b'{"first_name": "\\ud800"}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code in {400, 422}
    assert app.actions(lead.id) == []


def test_if_match_is_honoured(app: LeadsApp) -> None:
    def patched(*if_match: str) -> tuple[int, list[str]]:
        lead = app.store()
        tag = app.staff.get(f"/leads/{lead.id}").headers["etag"]
        bare = tag.strip('"')
        headers = httpx.Headers(
            [("If-Match", each.format(tag=tag, bare=bare)) for each in if_match]
        )
        body = {"state": "REACHED_OUT"}
        answer = app.staff.patch(f"/leads/{lead.id}", json=body, headers=headers)
        if answer.status_code != 200:
            refused(answer, 412, "changed")
        return answer.status_code, app.actions(lead.id)

    for tags in (["{tag}"], ["*"], ['"other", {tag}'], ['"a,b"', "{tag}"]):
        assert patched(*tags) == (200, ["lead.reached_out"]), tags
    for tags in (["W/{tag}"], ['"other"'], ["{bare}"], ['"9{bare}"'], ['"{bare}9"'], [""]):
        assert patched(*tags) == (412, []), tags


def test_a_stale_version_is_refused(app: LeadsApp) -> None:
    lead = app.store()
    stale = {"If-Match": app.staff.get(f"/leads/{lead.id}").headers["etag"]}
    assert app.staff.patch(f"/leads/{lead.id}", json={"first_name": "Zoe"}).status_code == 200
    answer = app.staff.patch(f"/leads/{lead.id}", json={"state": "REACHED_OUT"}, headers=stale)
    refused(answer, 412, "changed")


def test_a_version_that_is_known_is_not_sent_again(app: LeadsApp) -> None:
    lead = app.store()
    tag = app.staff.get(f"/leads/{lead.id}").headers["etag"]
    for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        answer = app.staff.get(f"/leads/{lead.id}", headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    assert app.staff.get(f"/leads/{lead.id}", headers={"If-None-Match": '"x"'}).status_code == 200


def test_events_tell_who_did_what_from_where(app: LeadsApp) -> None:
    lead = app.store()
    app.staff.patch(f"/leads/{lead.id}", json={"state": "REACHED_OUT"})
    app.staff.get(f"/leads/{lead.id}/resume")
    app.admin.patch(f"/leads/{lead.id}", json={"state": "PENDING", "reason": "Wrong number"})
    first = app.staff.get(f"/leads/{lead.id}/events?limit=2").json()
    rest = app.staff.get(f"/leads/{lead.id}/events", params={"cursor": first["next_cursor"]}).json()
    events = first["items"] + rest["items"]
    assert [(event["actor"], event["action"], event["detail"]) for event in events] == [
        ("ada", "lead.reached_out", ""),
        ("ada", "resume.downloaded", ""),
        ("root", "lead.reopened", "Wrong number"),
    ]
    assert set(events[0]) == {"id", "at", "actor", "action", "detail", "address"}
    assert events[0]["address"] == "127.0.0.1"
    assert events[0]["at"].endswith("Z")
