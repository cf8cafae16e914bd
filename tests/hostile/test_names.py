"""What a person may be called: rows 27 to 33."""

import csv
import io
import json
from urllib.parse import quote

import pytest

from tests.hostile.console import signed_in
from tests.hostile.forms import form, person
from tests.hostile.target import Target

MARKUP = [
    "<script>alert(1)</script>",
    "<input value=<><iframe/src=javascript:confirm(2)",
    '"><svg/onload=alert(1)>',
    "'-alert(1)-'",
    "</title></textarea><script>alert(1)</script>",
    "&lt;b&gt;",
]
TEMPLATES = [
    "{{7*7}}",
    "{% import os %}",
    "${7*7}",
    "%s%n%x",
    "{0.__class__}",
    "#{7*7}",
    "<%= 7*7 %>",
    "{{config.SECRET_KEY}}",
]
FORMULAS = ["=cmd|' /C calc'!G2", "+1+1", "-1+1", "@SUM(A1)", "\uff1d1+1"]


# Rows 27 and 28
@pytest.mark.parametrize("name", MARKUP + TEMPLATES)
def test_markup_and_templates_in_a_name_are_only_text(target: Target, name: str) -> None:
    lead = target.accepted(first_name=name, last_name=name, email="markup@example.com")
    assert (lead["first_name"], lead["last_name"]) == (name, name)
    with signed_in(target) as client:
        for path in ("/console", f"/console/leads/{lead['id']}", f"/console?q={quote(name)}"):
            page = client.get(path)
            assert page.status_code == 200
            assert name not in page.text or not set("<>&'\"") & set(name)
            policy_line = page.headers["content-security-policy"]
            assert "unsafe-inline" not in policy_line
            assert "script-src 'self'" in policy_line or "default-src 'none'" in policy_line
    mails = target.new_mails()
    assert any(name in text for text, _ in mails)
    for _, html in mails:
        assert name not in html or not set("<>&") & set(name)


# Row 27
@pytest.mark.parametrize("name", MARKUP)
def test_a_refused_form_shows_its_fields_as_text(target: Target, name: str) -> None:
    answer = target.post_form(form(person(first_name=name, last_name="")), path="/")
    assert answer.status == 422
    assert name not in answer.text
    assert "unsafe-inline" not in answer.header("content-security-policy")


# Row 29
@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_is_stored_as_it_is_and_guarded_in_the_export(target: Target, name: str) -> None:
    lead = target.accepted(first_name=name, last_name=name, email="formula@example.com")
    assert lead["first_name"] == name
    export = target.api("GET", "/leads/export?format=csv").text
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(export))}
    row = rows[str(lead["id"])]
    assert (row["first_name"], row["last_name"]) == (f"'{name}", f"'{name}")
    lines = target.api("GET", "/leads/export?format=jsonl").text.splitlines()
    [kept] = [line for line in map(json.loads, lines) if line["id"] == lead["id"]]
    assert kept["first_name"] == name


REFUSED = {
    "tab first": "\tZoe",
    "carriage return first": "\rZoe",
    "line feed last": "Zoe\n",
    "header": "Zoe\r\nBcc: x@y.com",
    "line feed": "Zoe\nBcc: x@y.com",
    "vertical tab": "Zoe\x0bX",
    "form feed": "Zoe\x0cX",
    "next line": "Zoe\x85X",
    "line separator": "Zoe\u2028X",
    "paragraph separator": "Zoe\u2029X",
    "nul": "Zoe\x00X",
    "escape": "Zoe\x1b[2J",
    "delete": "Zoe\x7f",
    "lone surrogate": b"Zoe\xed\xa0\x80",
    "invalid": b"Zoe\xff\xfe",
    "overlong": b"Zoe\xc0\xaf",
    "cut": b"Zoe\xe2\x82",
    "beyond Unicode": b"Zoe\xf4\x90\x80\x80",
    "very long": "x" * 100_000,
    "too long": "x" * 256,
    "marks": "a" + "\u0301" * 10_000,
    "marks of one kind": "a" + "\u0300\u0316" * 5000,
    "spaces": "   ",
    "wide spaces": "\u3000\u2003\u00a0",
    "nothing": "",
    "zero width": "\u200b\u200c\u200d\ufeff",
    "a hidden character": "Zo\u200be",
    "turned": "Zoe\u202eexe",
    "isolated": "\u2067Zoe\u2069",
    "soft hyphen": "Zo\u00ade",
    "tags": "Zoe\U000e0041\U000e0042",
    "fillers": "\u3164\u115f",
    "blank braille": "\u2800\u2800",
}


# Rows 29 to 32
@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED)
def test_a_name_that_cannot_be_read_is_refused(target: Target, name: str | bytes) -> None:
    with target.within(cpu_seconds=0.2), target.storing_nothing():
        answer = target.submit(first_name=name, last_name=name)
    assert answer.status == 422
    fields = {error["field"] for error in json.loads(answer.body)["errors"]}
    # What is not UTF-8, or far too long, ends the reading of the form at the first such field.
    assert "first_name" in fields
    assert fields <= {"first_name", "last_name"}


# Rows 29 to 32
@pytest.mark.parametrize("name", [name for name in REFUSED.values() if isinstance(name, str)])
def test_a_correction_follows_the_same_rules(target: Target, name: str) -> None:
    lead = target.accepted(email="correction@example.com")
    target.remember(name)
    with target.storing_nothing():
        answer = target.api("PATCH", f"/leads/{lead['id']}", json={"first_name": name})
    assert answer.status_code == 422


# Row 33
@pytest.mark.parametrize(
    "name",
    [
        "😀" * 200,
        "👩\u200d👩\u200d👧\u200d👦" * 36,
        "عبد الرحمن",
        "مرحبا" * 40,
        "אברהם",
        "山田太郎" * 50,
        "O'Brien",
        "Null",
        "None",
        "NaN",
        "undefined",
        "true",
        "X",
        "X Æ A-12",
        "D'Arcy-O’Neil, Jr.",  # noqa: RUF001
        "്മോഹന്\u200d".removeprefix("്"),
        "Nguyễn Thị Ánh",
        "ﬁ",
        "x" * 255,
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "辻\U000e0100",
    ],
)
def test_a_name_of_any_people_comes_back_exactly(target: Target, name: str) -> None:
    lead = target.accepted(first_name=name, last_name=name, email="people@example.com")
    assert (lead["first_name"], lead["last_name"]) == (name, name)
    found = target.api("GET", "/leads", params={"q": name}).json()["items"]
    assert lead["id"] in [each["id"] for each in found]


# Row 33
def test_a_decomposed_name_is_composed(target: Target) -> None:
    lead = target.accepted(first_name="Zoe\u0308", email="composed@example.com")
    assert lead["first_name"] == "Zo\u00eb"


# Row 32: the library leaves a header line of one space between words that cannot be folded, and
# many readers take that line for the end of the headers.
def test_the_longest_names_break_no_mail(target: Target) -> None:
    target.new_mails()
    target.accepted(first_name="x" * 255, last_name="y" * 255, email="longest@example.com")
    assert all("y" * 255 in html for _, html in target.new_mails())
