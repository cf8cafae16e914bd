"""A template that raises fails its own mails, visibly, and no others."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.faults import figures
from tests.faults.installation import Installation
from tests.waiting import wait_until


def test_a_template_that_raises_fails_its_mails_after_three_tries_and_no_others(
    installation: Callable[..., Installation],
    measured: Callable[[str, str, str], None],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "templates" / "mail" / "prospect_confirmation"
    folder.mkdir(parents=True)
    subject = folder / "subject.txt"
    subject.write_text("{{ 1 // 0 }}")
    parts = installation(waits={"retries, times": 0.01}, TEMPLATES_DIR=str(tmp_path / "templates"))
    with parts.load(clients=2, pause=0.1) as load:
        wait_until(lambda: len(load.answers) >= 20, 60)
    assert set(load.statuses) == {201}
    leads = parts.assert_nothing_lost(unsent=load.statuses[201])
    failed = [mail for mail in parts.mails() if mail["status"] == "FAILED"]
    assert {mail["kind"] for mail in failed} == {"prospect_confirmation"}
    assert {mail["attempts"] for mail in failed} == {3}
    assert {(one["stage"], one["reply"]) for one in parts.attempts("p%")} == {
        ("template", "template prospect_confirmation/subject.txt: ZeroDivisionError")
    }
    assert len(parts.attempts("p%")) == 3 * leads
    others = figures.lag(parts.mails())

    subject.write_text("We have it, {{ first_name }}")
    parts.service.stop()  # a template is kept once it is compiled
    parts.service.start()
    _retry_all_failed(parts)
    healed = parts.wait_until_all_sent()
    parts.assert_nothing_lost()
    measured(
        "A template that raises",
        f"{load.statuses[201]} x 201",
        f"{len(failed)} FAILED after 3 tries each; {2 * leads} others sent, longest lag "
        f"{others:.1f} s; mended and retried: all sent {healed:.1f} s after",
    )


def _retry_all_failed(parts: Installation) -> None:
    with closing(parts.administrator()) as client:
        answer = client.post("/deliveries/retry", json={"status": "FAILED"})
        assert answer.status_code == 202, answer.text
