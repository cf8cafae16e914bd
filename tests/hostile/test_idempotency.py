"""Idempotency keys: row 43."""

import json

import pytest

from tests.hostile.target import Target


# Row 43
def test_a_key_with_another_content_is_refused(target: Target) -> None:
    first = target.submit("a.pdf", b"%PDF-1.7\n", "Idempotency-Key: reused", email="k@example.com")
    assert first.status == 201
    others = [
        ("a.pdf", b"%PDF-1.7\n", {"email": "other@example.com"}),
        ("a.pdf", b"%PDF-1.4\n", {"email": "k@example.com"}),
        ("b.pdf", b"%PDF-1.7\n", {"email": "k@example.com"}),
    ]
    for filename, content, fields in others:
        with target.storing_nothing():
            answer = target.submit(filename, content, "Idempotency-Key: reused", **fields)
        assert answer.status == 422
        assert json.loads(answer.body)["code"] == "idempotency_key_reused"
    with target.storing_nothing():
        again = target.submit(
            "a.pdf", b"%PDF-1.7\n", "Idempotency-Key: reused", email="k@example.com"
        )
    assert (again.status, again.body) == (201, first.body)
    assert again.header("idempotent-replayed") == "true"


# Row 43
def test_sixty_four_at_once_with_one_key_make_one_lead(target: Target) -> None:
    target.wait_for_mails()
    leads, mails = target.count("leads"), target.count("deliveries")

    def attempt(_: int):
        return target.submit(
            "a.pdf", b"%PDF-1.7\n", "Idempotency-Key: at-once", email="once@example.com"
        )

    answers = target.together(64, attempt)
    taken = [answer for answer in answers if answer.status == 201]
    assert {answer.status for answer in answers} <= {201, 409}
    assert len({answer.body for answer in taken}) == 1
    assert len([answer for answer in taken if not answer.header("idempotent-replayed")]) == 1
    assert target.count("leads") == leads + 1
    assert target.count("deliveries") == mails + 2


# Row 43
@pytest.mark.parametrize(
    "key", ["x" * 256, "x" * 300, "x" * 20_000, "é", "\x80", "a b", "a\tb", "", " ", "\x7f", "😀"]
)
def test_a_key_against_the_rules_is_refused(target: Target, key: str) -> None:
    with target.storing_nothing():
        answer = target.submit("a.pdf", b"%PDF-1.7\n", f"Idempotency-Key: {key}")
    assert answer.status == 400


# Row 43
def test_two_keys_are_refused(target: Target) -> None:
    with target.storing_nothing():
        answer = target.submit("a.pdf", b"%PDF-1.7\n", "Idempotency-Key: a", "Idempotency-Key: b")
    assert answer.status == 400


# Row 43
@pytest.mark.parametrize("key", ["!", "~" * 255, "'; DROP TABLE leads;--".replace(" ", "_")])
def test_a_key_of_any_visible_characters_is_taken(target: Target, key: str) -> None:
    answer = target.submit("a.pdf", b"%PDF-1.7\n", f"Idempotency-Key: {key}")
    assert answer.status == 201


# Row 43
@pytest.mark.parametrize("keys", [("CaseMatters", "casematters")])
def test_keys_that_differ_in_case_are_two(target: Target, keys: tuple[str, str]) -> None:
    answers = [target.submit("a.pdf", b"%PDF-1.7\n", f"Idempotency-Key: {key}") for key in keys]
    assert [answer.status for answer in answers] == [201, 201]
    assert answers[0].body != answers[1].body
