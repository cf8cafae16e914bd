"""`notion-backend worker` that writes down which exchanges were past the lease check.

Run as `python -m tests.faults.expiry_process worker`. In EXPIRY_FOLDER each process keeps a file
with a line for each lease, as id and token: `passed` when the lease stood just before the final
dot, `late` when it was lost by the time that the end of that exchange was to be recorded.
"""

import os
import sys
import threading
from collections.abc import Collection
from pathlib import Path
from uuid import UUID

from notion_backend.application.delivery.leases import Lease, Leases
from notion_backend.cli import main
from notion_backend.data.repositories.leases import LeasedMail, LeaseRepository


def witness(folder: Path) -> None:
    """Patch this process so that it writes them down."""
    stream = (folder / f"exchanges-{os.getpid()}").open("a", buffering=1)
    passed: set[tuple[UUID, UUID]] = set()
    is_held, held_under = Leases.is_held, LeaseRepository.held_under

    def is_held_and_tell(leases: Leases, lease: Lease) -> bool:
        held = is_held(leases, lease)
        if held:
            passed.add((lease.delivery_id, lease.token))
            stream.write(f"passed {lease.delivery_id}\n")
        return held

    def held_under_and_tell(
        repository: LeaseRepository, leases: Collection[tuple[UUID, UUID]]
    ) -> dict[tuple[UUID, UUID], LeasedMail]:
        held = held_under(repository, leases)
        # Not of a heartbeat: it may ask for a lease whose mail was recorded a moment ago.
        records = threading.current_thread().name == "shared-commits"
        for lease in leases if records else ():
            if lease in passed and lease not in held:
                stream.write(f"late {lease[0]}\n")
        return held

    Leases.is_held = is_held_and_tell  # type: ignore[method-assign]
    LeaseRepository.held_under = held_under_and_tell  # type: ignore[method-assign]


if __name__ == "__main__":
    witness(Path(os.environ["EXPIRY_FOLDER"]))
    sys.exit(main())
