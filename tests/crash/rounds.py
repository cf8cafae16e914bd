"""Rounds of load, kill, restart and verification."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import httpx

from tests.crash import fail_points, invariants
from tests.crash.cluster import READY_SECONDS, SENDERS, Cluster
from tests.crash.ledger import Intent, Ledger
from tests.crash.loader import Loader
from tests.crash.process import SURE_SECONDS
from tests.crash.strikes import Strikes

FEWEST_ACKS = 20
_DELAY_SECONDS = 0.3
_REPEATS = 5
_INTEGRITY_EVERY = 10
_WINDOW_SECONDS = 1.0
"""A mail that arrived longer before a death was recorded, longer after it was not begun before."""


@dataclass(slots=True)
class Report:
    """What a run has done and found."""

    rounds: int = 0
    acknowledged: int = 0
    leads: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    hits: Counter[str] = field(default_factory=Counter)
    duplicates: int = 0
    duplicates_allowed: int = 0
    duplicates_by_stalls: int = 0
    """Copies of mails that could not be recorded for longer than a lease surely lasts."""
    catching_kills: int = 0
    """Deaths and stops that caught at least one mail between the server's 250 and our commit."""
    windows: Sequence[float] = ()
    """How long each mail was with the server and not yet recorded, in seconds."""
    slowest_restart: float = 0.0
    thin_rounds: int = 0
    """Rounds with fewer acknowledged leads than make them count."""
    missed: tuple[str, ...] = ()
    """Fail points that nobody reached."""
    violations: list[str] = field(default_factory=list)

    @property
    def is_valid(self) -> bool:
        """Tell whether the run shows anything: every point was hit, every round had leads."""
        return not self.missed and not self.thin_rounds

    @property
    def wrong(self) -> list[str]:
        """Return what was violated, but for slow restarts, after which the run goes on."""
        return [line for line in self.violations if not line.startswith("I11:")]

    @property
    def holds(self) -> bool:
        return not self.violations


class Run:
    """One run in one mode.

    Args:
        mode: one of `cluster.MODES`.
        folder: kept where something was found.
        seed: decides what is sent, who dies and when.
        quick: aim every kill at a fail point until each was hit, then end.
        bug: one of `planted_bugs.BUGS`, for the harness's own tests.
        tell: is told a line about each round.
    """

    def __init__(
        self,
        mode: str,
        folder: Path,
        seed: int,
        *,
        quick: bool = False,
        bug: str | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._cluster = Cluster(mode, folder, bug)
        self._ledger = Ledger(folder / "ledger.jsonl")
        self._chance = random.Random(seed)
        self._seed = seed
        self._tell = tell
        self._quick = quick
        self._verified = 0
        self.report = Report()
        self._strikes = Strikes(self._cluster, self._chance, self._expect, always_aim=quick)
        self.report.hits = self._strikes.hits

    def run(self, rounds: int) -> Report:
        """Run so many rounds at most; what is found wrong ends the run, a slow restart excepted."""
        with self._cluster as cluster:
            ports = [service.port for service in cluster.services]
            self._accepted = invariants.Accepted(cluster.sink.messages)
            self._loader = Loader(self._ledger, ports, self._seed)
            for number in range(1, rounds + 1):
                self._round(number)
                if self.report.wrong or (self._quick and not self._missed()):
                    break
            self._finish()
        self._ledger.close()
        return self.report

    def _round(self, number: int) -> None:
        report, started = self.report, time.monotonic()
        self._strikes.begin_round()
        self._loader.start(number)
        what = self._strikes.strike()
        self._loader.join()
        for name in self._cluster.fail_points():
            fail_points.disarm(self._cluster.points, name)
        report.kills += self._strikes.died
        seconds = self._cluster.restart()
        report.slowest_restart = max(report.slowest_restart, seconds)
        self._expect(seconds <= READY_SECONDS, f"I11: ready after {seconds:.1f} s")
        self._strikes.erase_again()
        self._try_again(number)
        self._verify(number)
        report.rounds = number
        acknowledged = len(self._ledger.acknowledged(number))
        report.acknowledged += acknowledged
        report.thin_rounds += acknowledged < FEWEST_ACKS
        self._tell(
            f"round {number}: {what}; {acknowledged} acknowledged, "
            f"{time.monotonic() - started:.1f} s"
        )

    def _try_again(self, number: int) -> None:
        """Send what was not answered again under its key, and some of what was (I9)."""
        open_ones = [one for one in self._ledger.unanswered(number) if one.key]
        chosen = [one for one in open_ones if self._chance.random() < 0.9]
        known = [one for one in self._ledger.acknowledged(number) if one.key]
        repeated = self._chance.sample(known, min(_REPEATS, len(known)))
        threads = [threading.Thread(target=self._resend, args=(one,)) for one in chosen]
        for thread in threads:
            thread.start()
        for one in repeated:
            self._repeat(one)
        for thread in threads:
            thread.join()

    def _resend(self, intent: Intent) -> None:
        for _ in range(5):
            answer = self._loader.send(intent)
            if answer and answer[0] == httpx.codes.CREATED:
                return
            time.sleep(0.3)
        self._expect(False, f"a submission is not taken after the restart: {answer and answer[0]}")

    def _repeat(self, intent: Intent) -> None:
        answer = self._loader.send(intent)
        replayed = answer and answer[1].get("idempotent-replayed") == "true"
        self._expect(replayed, "I9: a key that was answered is not known any more")
        self._expect(
            len(self._ledger.acks[intent.email]) == 1, "I9: a key was answered in two ways"
        )

    def _verify(self, number: int) -> None:
        engine, report = self._cluster.engine, self.report
        if unsent := invariants.wait_for_mails(engine):
            self._expect(False, unsent)
            return
        self._accepted.update()
        verdict = invariants.verify(engine, self._ledger, self._accepted, after_lead=self._verified)
        report.violations += verdict.violations
        report.violations += invariants.lost(engine, self._ledger, number, self._strikes.erased)
        report.duplicates += verdict.duplicates
        report.leads += verdict.leads
        self._verified = invariants.last_lead(engine)
        self._judge_copies(verdict)
        for status, body in self._loader.refused:
            self._expect(False, f"an answer of {status}: {body[:200]!r}")
        self._loader.refused.clear()
        if number % _INTEGRITY_EVERY == 0:
            report.violations += invariants.verify_database(engine)

    def _finish(self) -> None:
        """Verify everything once more, from the first lead on."""
        engine, report = self._cluster.engine, self.report
        if report.wrong:
            return
        self._accepted.update()
        verdict = invariants.verify(engine, self._ledger, self._accepted, after_lead=0)
        report.violations += verdict.violations
        self._expect(
            verdict.duplicates <= report.duplicates, "I5: copies of a mail came after its round"
        )
        for number in range(1, report.rounds + 1):
            report.violations += invariants.lost(engine, self._ledger, number, self._strikes.erased)
        report.violations += invariants.verify_database(engine)
        report.violations += invariants.strangers(
            engine, self._accepted, self._strikes.erased_mails
        )
        report.missed = self._missed()
        report.windows = [seconds for _, seconds in self._windows()]

    def _windows(self) -> list[tuple[str, float]]:
        """Return mails by their id, with how long each was with the server and not recorded."""
        lines = [
            line.split()
            for file in self._cluster.points.glob("windows-*")
            for line in file.read_text().splitlines()
        ]
        return [(mail, float(seconds)) for mail, seconds in lines]

    def _missed(self) -> tuple[str, ...]:
        return tuple(name for name in self._cluster.fail_points() if not self.report.hits[name])

    def _judge_copies(self, verdict: invariants.Verdict) -> None:
        """Allow a copy only where a process ended, or stood still, behind its last lease check."""
        counted = self._cluster.delivering | {"postgresql"}
        deaths = sum(self._strikes.died[name] for name in counted)
        allowed = SENDERS * (deaths + len(self._strikes.pauses))
        causes = [*self._strikes.deaths, *(began for began, _ in self._strikes.pauses)]
        self.report.duplicates_allowed += allowed
        stalled = {mail for mail, seconds in self._windows() if seconds > SURE_SECONDS}
        caught, by_death = set(), 0
        for copies in verdict.copied:
            for one, another in pairwise(copies):
                cause = min(causes, key=lambda at, one=one: abs(at - one.at), default=0.0)
                if abs(cause - one.at) <= _WINDOW_SECONDS and cause <= another.at:
                    caught.add(cause)
                    by_death += 1
                elif invariants.id_of(one.message_id) in stalled:
                    self.report.duplicates_by_stalls += 1
                else:
                    self._expect(False, "I5: a mail was sent twice and nobody had died")
        self._expect(
            by_death <= allowed, f"I5: {by_death} copies where {allowed} can have been made"
        )
        self.report.catching_kills += len(caught)
        for first, *_, last in verdict.copied:
            for began, ended in self._strikes.pauses:
                # Sent by somebody else during the pause, and after it by who had stood still.
                late = began + _DELAY_SECONDS < first.at < ended <= last.at
                self._expect(not late, "I5: who was stopped has sent what it had no lease for")

    def _expect(self, holds: object, sentence: str) -> None:
        if not holds:
            self.report.violations.append(sentence)
