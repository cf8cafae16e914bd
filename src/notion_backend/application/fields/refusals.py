"""Several refusals told at once, so that a person mends a form in one go."""

from collections.abc import Iterator
from contextlib import contextmanager

from notion_backend.core.errors import InvalidInput


class Refusals:
    """Gathers the refusals of one submission: wrap each check in `gathering`, then `raise_any`."""

    def __init__(self) -> None:
        self._gathered: list[InvalidInput] = []

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Keep an InvalidInput raised inside for later and go on behind the block."""
        try:
            yield
        except InvalidInput as refusal:
            self._gathered.append(refusal)

    def raise_any(self) -> None:
        """Raise what was gathered: a single refusal as it was, several as one `validation`."""
        if len(self._gathered) == 1:
            raise self._gathered[0]
        if self._gathered:
            raise InvalidInput.of(*(error for each in self._gathered for error in each.errors))
