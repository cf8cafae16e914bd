"""A process that serves an application of `tests.server.application`.

Run as `python -m tests.server.program FACTORY PORT WORKERS FILES`; it may open FILES files, 0 for
as many as it likes.
"""

import resource
import sys

from notion_backend.server import run

if __name__ == "__main__":
    factory, port, workers, files = sys.argv[1:]
    if int(files):
        resource.setrlimit(resource.RLIMIT_NOFILE, (int(files), int(files)))
    application = f"tests.server.application:{factory}"
    sys.exit(run(application, host="127.0.0.1", port=int(port), workers=int(workers)))
