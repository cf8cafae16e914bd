"""`python -m bench [NAME ...]`: run all benchmarks, or those named."""

import sys

from bench import (
    console,
    costs,
    first_mail,
    fleet,
    growth,
    intake,
    listing,
    mail_window,
    mails,
    overload,
    reading,
    silent_redis,
    start,
    transfer,
)

BENCHMARKS = {
    "intake": intake.run,
    "intake-large": intake.run_large,
    "intake-postgresql": intake.run_postgresql,
    "console": console.run,
    "costs": costs.run,
    "first-mail": first_mail.run,
    "fleet": fleet.run,
    "growth": growth.run,
    "overload": overload.run,
    "silent-redis": silent_redis.run,
    "list": listing.run,
    "mails": mails.run,
    "reading": reading.run,
    "start": start.run,
    "transfer": transfer.run,
    "mail-window": mail_window.run,
}


def main(names: list[str]) -> int:
    """Run the named benchmarks; return the exit status."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"There is no benchmark {', '.join(unknown)}; choose of: {', '.join(BENCHMARKS)}")
        return 2
    for name in names or BENCHMARKS:
        BENCHMARKS[name]()
    return 0


sys.exit(main(sys.argv[1:]))
