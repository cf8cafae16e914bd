"""Proof of work for the public form."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from altcha.v1 import solve_challenge
from hypothesis import given
from hypothesis import strategies as st

from notion_backend.application.intake import form_proof
from notion_backend.application.intake.form_guard import FormGuard
from notion_backend.application.intake.form_proof import UNPROVEN, FormProof

SECRET = b"a secret of the tests that is long enough"
KEY = "k-1_é&=?"
proof = FormProof(SECRET)


@pytest.fixture(autouse=True, scope="module")
def _little_work() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(form_proof, "MOST_TRIES", 200)
        yield


def solved(key: str = KEY, maker: FormProof = proof, **changed: object) -> str:
    asked = json.loads(maker.challenge(key))
    found = solve_challenge(
        asked["challenge"], asked["salt"], asked["algorithm"], asked["maxNumber"], 0
    )
    assert found
    return written(asked | {"number": found.number} | changed)


def written(content: object) -> str:
    return base64.b64encode(json.dumps(content).encode()).decode()


def test_a_solution_counts_for_the_form_it_was_asked_for() -> None:
    made = solved()
    assert proof.is_proven(made, KEY)
    assert proof.is_proven(made, KEY)  # the same form again is the same lead
    assert not proof.is_proven(made, "another")
    assert not proof.is_proven(made, "")


def test_only_a_challenge_of_ours_counts() -> None:
    assert not proof.is_proven(solved(maker=FormProof(b"another secret")), KEY)


@pytest.mark.parametrize(
    "changed",
    [
        {"number": 100_000},
        {"number": -1},
        {"number": "1"},
        {"number": None},
        {"number": True},
        {"algorithm": "SHA-1"},
        {"signature": "0" * 64},
        {"challenge": "0" * 64},
        {"salt": "abc?key=k-1_%C3%A9%26%3D%3F&expires=99999999999&"},
        {"salt": "\ud800?key=k-1_%C3%A9%26%3D%3F&expires=99999999999&"},
        {"challenge": "\ud800"},
        {"signature": "\ud800"},
        {"salt": 7},
        {"salt": None},
    ],
)
def test_what_was_changed_does_not_count(changed: dict[str, object]) -> None:
    assert not proof.is_proven(solved(**changed), KEY)


def test_a_solution_is_good_for_some_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(form_proof, "LIFETIME", timedelta(seconds=-1))
    assert not proof.is_proven(solved(), KEY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "é",
        "%%%",
        written(None),
        written(["algorithm", "challenge", "number", "salt", "signature"]),
        written("algorithm challenge number salt signature"),
        written({}),
        base64.b64encode(b"[" * 100_000).decode(),
        base64.b64encode(b"\xff").decode(),
        base64.b64encode(b'{"number": 1' + b"0" * 5000 + b"}").decode(),
    ],
)
def test_what_is_no_solution_at_all_does_not_count(text: str) -> None:
    assert not proof.is_proven(text, KEY)


@given(
    st.recursive(st.none() | st.integers() | st.text(), st.lists)
    | st.dictionaries(
        st.sampled_from(["algorithm", "challenge", "number", "salt", "signature"]),
        st.none() | st.integers() | st.text() | st.lists(st.text()),
    )
)
def test_no_text_is_stumbled_over(content: object) -> None:
    assert not proof.is_proven(written(content), KEY)


def test_a_form_without_a_proof_is_flagged_where_one_is_asked_for() -> None:
    asking, silent = FormGuard(SECRET, None, proof), FormGuard(SECRET, None)
    assert asking.suspicions({}) == (UNPROVEN,)
    assert asking.suspicions({"idempotency_key": KEY, "proof": solved()}) == ()
    assert asking.suspicions({"idempotency_key": "other", "proof": solved()}) == (UNPROVEN,)
    assert silent.suspicions({}) == ()
    assert (bool(asking.challenge(KEY)), silent.challenge(KEY)) == (True, "")
