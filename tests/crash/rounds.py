"""Rounds of load, kill, restart and verification."""

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import httpx

from tests.crash import fail_points, invariants
from tests.crash.cluster import READY_SECONDS, SENDERS, Cluster
from tests.crash.ledger import Intent, Ledger
from tests.crash.loader import Loader

FEWEST_ACKS = 20
_AIMED_SECONDS = 4.0
_PAUSE_SECONDS = 4.0
_DELAY_SECONDS = 0.3
_REPEATS = 5
_INTEGRITY_EVERY = 10
_WINDOW_SECONDS = 1.0
"""A mail that arrived longer before a death, or after it, was recorded or was not begun."""


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
        self._erased: set[str] = set()
        self._half_erased: int | None = None
        self._erased_mails: set[str] = set()
        self._aims: list[str] = []
        self._died: Counter[str] = Counter()
        self._deaths: list[float] = []
        self._pauses: list[tuple[float, float]] = []
        self.report = Report()

    def run(self, rounds: int) -> Report:
        """Run so many rounds at most; what is found wrong ends the run."""
        with self._cluster as cluster:
            ports = [service.port for service in cluster.services]
            self._accepted = invariants.Accepted(cluster.sink.messages)
            self._loader = Loader(self._ledger, ports, self._seed)
            for number in range(1, rounds + 1):
                self._round(number)
                if not self.report.holds or (self._quick and not self._missed()):
                    break
            self._finish()
        self._ledger.close()
        return self.report

    def _round(self, number: int) -> None:
        report, started = self.report, time.monotonic()
        self._died.clear()
        self._deaths.clear()
        self._pauses.clear()
        self._loader.start(number)
        what = self._strike()
        self._loader.join()
        for name in self._cluster.fail_points():
            fail_points.disarm(self._cluster.points, name)
        report.kills += self._died
        seconds = self._cluster.restart()
        report.slowest_restart = max(report.slowest_restart, seconds)
        self._expect(seconds <= READY_SECONDS, f"I11: ready after {seconds:.1f} s")
        self._erase_again()
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

    def _strike(self) -> str:
        """Kill somebody: at a fail point in every other round, at any moment in the others."""
        if self._quick or self._chance.random() < 0.5:
            return self._aim()
        time.sleep(self._chance.uniform(0.02, 0.8))
        if self._chance.random() < 0.15:
            return self._pause()
        names = sorted(self._cluster.processes)
        chosen = self._chance.sample(names, self._chance.randint(1, len(names)))
        self._deaths.append(time.time())
        self._cluster.kill(chosen)
        self._died.update(chosen)
        return f"killed {', '.join(chosen)}"

    def _aim(self) -> str:
        if not self._aims:
            self._aims = list(self._cluster.fail_points())
            self._chance.shuffle(self._aims)
        name = self._aims.pop()
        action = fail_points.KILL
        if name in fail_points.MAIL and self._chance.random() < 0.2:
            action = fail_points.STOP
        fail_points.arm(self._cluster.points, name, action)
        aside = {
            "in an erasure": self._erase,
            "in a migration": self._migrate,
            "in a backup": self._back_up,
        }.get(name)
        if aside:
            aside()
        else:
            deadline = time.monotonic() + _AIMED_SECONDS
            while not self._was_hit(name) and time.monotonic() < deadline:
                time.sleep(0.01)
        if not self._was_hit(name):
            return f"nobody came to {name!r}"
        self.report.hits[name] += 1
        self._deaths.append(fail_points.hit_at(self._cluster.points, name))
        fail_points.forget_hit(self._cluster.points, name)
        if action == fail_points.STOP:
            self._stand_still()
            return f"stopped at {name!r}"
        self._note_dead()
        return f"killed at {name!r}"

    def _note_dead(self) -> None:
        wait = time.monotonic() + 2
        while not self._cluster.dead() and time.monotonic() < wait:
            time.sleep(0.01)
        self._died.update(self._cluster.dead())

    def _pause(self) -> str:
        """Stop a sender for longer than a lease, and let it go on."""
        name = self._chance.choice(sorted(self._cluster.delivering))
        self._cluster.processes[name].send_signal(signal.SIGSTOP)
        self._stand_still()
        return f"stopped {name} for {_PAUSE_SECONDS:g} s"

    def _stand_still(self) -> None:
        """Let what is stopped stay so for longer than a lease, then go on."""
        began = time.time()
        time.sleep(_PAUSE_SECONDS)
        self._pauses.append((began, time.time()))
        for name in self._cluster.delivering:
            self._cluster.processes[name].send_signal(signal.SIGCONT)

    def _was_hit(self, name: str) -> bool:
        return fail_points.was_hit(self._cluster.points, name)

    def _erase(self) -> None:
        """Die while the oldest lead is erased: it is there as a whole afterwards, or gone."""
        with closing(self._cluster.administrator()) as http:
            items = http.get("/leads", params={"limit": 1, "sort": "created_at"}).json()["items"]
            if not items:
                return
            self._erased.add(items[0]["email"])
            self._half_erased = items[0]["id"]
            self._erased_mails |= invariants.mail_ids(self._cluster.engine, items[0]["id"])
            try:
                http.delete(f"/leads/{items[0]['id']}")
            except httpx.HTTPError:
                return

    def _erase_again(self) -> None:
        """Do an erasure that died once more: afterwards the lead is gone."""
        lead_id, self._half_erased = self._half_erased, None
        if lead_id is None:
            return
        with closing(self._cluster.administrator()) as http:
            again = http.delete(f"/leads/{lead_id}").status_code
            found = http.get(f"/leads/{lead_id}").status_code
        self._expect(
            again in {httpx.codes.NO_CONTENT, httpx.codes.NOT_FOUND}
            and found == httpx.codes.NOT_FOUND,
            f"an erasure that died is answered with {again}, its lead with {found}",
        )

    def _migrate(self) -> None:
        """Die while a new database is made, then make it."""
        url = f"sqlite:///{self._cluster.folder}/aside-{self._chance.random()}.db"
        self._cluster.command("migrate", DATABASE_URL=url)
        status = self._cluster.command("migrate", DATABASE_URL=url)
        self._expect(status == 0, "a migration that died cannot be run again")

    def _back_up(self) -> None:
        """Die while a backup is written, then write one and check it."""
        file = str(self._cluster.folder / "backup.tar")
        self._cluster.command("backup", file)
        self._expect(self._cluster.command("backup", file) == 0, "no backup after one that died")
        checked = self._cluster.command("restore", "--check", file)
        self._expect(checked == 0, "a backup is not good")

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
        report.violations += invariants.lost(engine, self._ledger, number, self._erased)
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
        if report.violations:
            return
        self._accepted.update()
        verdict = invariants.verify(engine, self._ledger, self._accepted, after_lead=0)
        report.violations += verdict.violations
        for number in range(1, report.rounds + 1):
            report.violations += invariants.lost(engine, self._ledger, number, self._erased)
        report.violations += invariants.verify_database(engine)
        report.violations += invariants.strangers(engine, self._accepted, self._erased_mails)
        report.missed = self._missed()
        report.windows = [
            float(line)
            for file in self._cluster.points.glob("windows-*")
            for line in file.read_text().splitlines()
        ]

    def _missed(self) -> tuple[str, ...]:
        return tuple(name for name in self._cluster.fail_points() if not self.report.hits[name])

    def _judge_copies(self, verdict: invariants.Verdict) -> None:
        """Allow a copy only where a process ended, or stood still, behind its last lease check."""
        counted = self._cluster.delivering | {"postgresql"}
        deaths = sum(self._died[name] for name in counted)
        allowed = SENDERS * (deaths + len(self._pauses))
        causes = [*self._deaths, *(began for began, _ in self._pauses)]
        self.report.duplicates_allowed += allowed
        self._expect(
            verdict.duplicates <= allowed,
            f"I5: {verdict.duplicates} copies where {allowed} can have been made",
        )
        caught = set()
        for copies in verdict.copied:
            for one, another in pairwise(copies):
                cause = min(causes, key=lambda at, one=one: abs(at - one.at), default=0.0)
                near = abs(cause - one.at) <= _WINDOW_SECONDS and cause <= another.at
                self._expect(near, "I5: a mail was sent twice and nobody had died")
                caught.add(cause)
        self.report.catching_kills += len(caught)
        for first, *_, last in verdict.copied:
            for began, ended in self._pauses:
                # Sent by somebody else during the pause, and after it by who had stood still.
                late = began + _DELAY_SECONDS < first.at < ended <= last.at
                self._expect(not late, "I5: who was stopped has sent what it had no lease for")

    def _expect(self, holds: object, sentence: str) -> None:
        if not holds:
            self.report.violations.append(sentence)
