"""What commands stand on that use the services."""

from collections.abc import Iterator
from contextlib import contextmanager

from notion_backend.application.assembly import Foundations, lay_foundations
from notion_backend.cli.preparation import prepare
from notion_backend.operations.start import opened_database


@contextmanager
def foundations() -> Iterator[Foundations]:
    """Lend database, queue and secret, as the settings name them.

    Raises:
        ConfigurationError: one of them cannot be used as configured.
    """
    settings = prepare()
    with opened_database(settings):
        on = lay_foundations(settings)
        try:
            yield on
        finally:
            on.close()
