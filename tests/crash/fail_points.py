"""Named moments at which a process under test can be killed or stopped.

Patched into the product by `process.py`; a normal start knows nothing of them. A point is armed by
a file of its name, which whoever reaches it first takes away: one process, once.
"""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from notion_backend.application.delivery.leases import Leases
from notion_backend.application.intake.intake import Intake
from notion_backend.data.migrations import steps
from notion_backend.data.repositories.leads import LeadRepository
from notion_backend.data.repositories.leases import LeaseRepository
from notion_backend.mail.connection import Connection
from notion_backend.mail.queue import MemoryQueue
from notion_backend.mail.redis_queue import RedisQueue
from notion_backend.mail.smtp import SmtpSender
from notion_backend.operations import backup
from notion_backend.presentation import submission_form

INTAKE = ("body read", "lead inserted", "before commit", "committed, not answered")
RING = ("not rung",)
"""Where there is a Redis to ring at; a queue in the process is rung before the answer."""
MAIL = ("claimed", "in the sweep", "after RCPT", "dot sent", "250 read, not committed", "SENT")
ASIDE = ("in an erasure", "in a migration")
BACKUP = ("in a backup",)

KILL, STOP = "kill", "stop"


def arm(folder: Path, name: str, action: str = KILL) -> None:
    """Let the next process that reaches this point die, or stop, there."""
    draft = folder / "draft"
    draft.write_text(action)
    draft.rename(_armed(folder, name))


def disarm(folder: Path, name: str) -> None:
    """Let nobody die there any more."""
    _armed(folder, name).unlink(missing_ok=True)


def was_hit(folder: Path, name: str) -> bool:
    """Tell whether a process died or stopped there since it was armed."""
    return _hit(folder, name).exists()


def hit_at(folder: Path, name: str) -> float:
    """Return when a process died or stopped there, in seconds since the epoch."""
    return _hit(folder, name).stat().st_ctime  # renaming changes this time alone


def forget_hit(folder: Path, name: str) -> None:
    """Make ready to be armed again."""
    _hit(folder, name).unlink(missing_ok=True)


def install(folder: Path) -> None:
    """Patch all points into the product of this process."""

    def reach(name: str) -> None:
        with suppress(FileNotFoundError):
            _armed(folder, name).rename(_hit(folder, name))
            action = _hit(folder, name).read_text()
            os.kill(os.getpid(), signal.SIGKILL if action == KILL else signal.SIGSTOP)

    read_body = submission_form._read_body

    async def read_body_and_reach(*arguments: Any) -> None:
        await read_body(*arguments)
        reach("body read")

    submission_form._read_body = read_body_and_reach  # type: ignore[assignment]
    _around(Intake, "_attach", before=lambda: reach("lead inserted"))
    _around(Intake, "_attach", after=lambda _: reach("before commit"))
    for queue in (MemoryQueue, RedisQueue):
        _around(queue, "ring", before=lambda: reach("committed, not answered"))
    push = RedisQueue._push

    def push_what_is_there(queue: RedisQueue, batch: list[bytes]) -> None:
        if batch:
            reach("not rung")
        push(queue, batch)

    RedisQueue._push = push_what_is_there  # type: ignore[method-assign]
    _around(Leases, "claim", after=lambda claimed: claimed and reach("claimed"))
    claim = LeaseRepository.claim

    def claim_and_reach(repository: LeaseRepository, **options: Any) -> Any:
        claimed = claim(repository, **options)
        if claimed and options["among"] is None:
            reach("in the sweep")
        return claimed

    LeaseRepository.claim = claim_and_reach  # type: ignore[method-assign]
    _around(SmtpSender, "_name_recipient", after=lambda _: reach("after RCPT"))
    docmd = Connection.docmd

    def docmd_and_reach(connection: Connection, command: str, arguments: str = "") -> Any:
        if command != ".":
            return docmd(connection, command, arguments)
        connection.putcmd(command)
        reach("dot sent")
        return connection.getreply()

    Connection.docmd = docmd_and_reach  # type: ignore[method-assign]
    _around(Leases, "record_sent", before=lambda: reach("250 read, not committed"))
    _around(Leases, "record_sent", after=lambda _: reach("SENT"))
    _around(LeadRepository, "erase", after=lambda _: reach("in an erasure"))
    _around(steps, "create_index", before=lambda: reach("in a migration"))
    _around(backup, "write_archive", before=lambda: reach("in a backup"))


def _around(
    owner: Any,
    name: str,
    *,
    before: Callable[[], object] = lambda: None,
    after: Callable[[Any], object] = lambda _: None,
) -> None:
    original = getattr(owner, name)

    def surrounded(*arguments: Any, **options: Any) -> Any:
        before()
        result = original(*arguments, **options)
        after(result)
        return result

    setattr(owner, name, surrounded)


def _armed(folder: Path, name: str) -> Path:
    return folder / f"armed {name}"


def _hit(folder: Path, name: str) -> Path:
    return folder / f"hit {name}"
