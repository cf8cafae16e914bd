"""How processes die: at any moment, at a named point of their work, or not quite, by SIGSTOP."""

import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing

import httpx

from tests.crash import fail_points, invariants
from tests.crash.cluster import Cluster

_AIMED_SECONDS = 4.0
_PAUSE_SECONDS = 4.0


class Strikes:
    """Strikes once a round.

    Args:
        cluster: whose processes die.
        chance: decides who, when and where.
        expect: is told whether what it says holds.
        always_aim: strike at fail points only.
    """

    def __init__(
        self,
        cluster: Cluster,
        chance: random.Random,
        expect: Callable[[object, str], None],
        *,
        always_aim: bool = False,
    ) -> None:
        self._cluster = cluster
        self._chance = chance
        self._expect = expect
        self._always_aim = always_aim
        self._aims: list[str] = []
        self._half_erased: int | None = None
        self.hits: Counter[str] = Counter()
        """How often each fail point was hit, over the whole run."""
        self.erased: set[str] = set()
        """Addresses of leads whose erasure died."""
        self.erased_mails: set[str] = set()
        self.died: Counter[str] = Counter()
        """Who died in this round, by name."""
        self.deaths: list[float] = []
        """When in this round, in seconds since the epoch."""
        self.pauses: list[tuple[float, float]] = []
        """From when until when somebody stood still in this round."""

    def begin_round(self) -> None:
        """Forget the round before."""
        self.died.clear()
        self.deaths.clear()
        self.pauses.clear()

    def strike(self) -> str:
        """Kill somebody: at a fail point in every other round, at any moment in the others."""
        if self._always_aim or self._chance.random() < 0.5:
            return self._aim()
        time.sleep(self._chance.uniform(0.02, 0.8))
        if self._chance.random() < 0.15:
            return self._pause()
        names = sorted(self._cluster.processes)
        chosen = self._chance.sample(names, self._chance.randint(1, len(names)))
        self.deaths.append(time.time())
        self._cluster.kill(chosen)
        self.died.update(chosen)
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
        self.hits[name] += 1
        self.deaths.append(fail_points.hit_at(self._cluster.points, name))
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
        self.died.update(self._cluster.dead())

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
        self.pauses.append((began, time.time()))
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
            self.erased.add(items[0]["email"])
            self._half_erased = items[0]["id"]
            self.erased_mails |= invariants.mail_ids(self._cluster.engine, items[0]["id"])
            try:
                http.delete(f"/leads/{items[0]['id']}")
            except httpx.HTTPError:
                return

    def erase_again(self) -> None:
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
