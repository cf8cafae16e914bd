"""`python -m notion_backend` is the command `notion-backend`."""

import sys

from notion_backend.cli import main

if __name__ == "__main__":
    sys.exit(main())
