"""What the checks of this package ask of a database: to be read. Both `ports.Session` and `ports.Database` can."""

from collections.abc import Mapping
from typing import Protocol

from console.ports import Row


class Reader(Protocol):
    """Something that runs a read and returns its rows. Raises DatabaseError."""

    async def fetch(self, sql: str, params: Mapping[str, object] | None = None) -> list[Row]:
        """Run one statement and return its rows; parameters are written `%(name)s`."""


def whole(value: object) -> int:
    """A whole number that the server sent (also as text, as its 64-bit transaction ids are)."""
    return int(str(value))


def text_or_none(value: object) -> str | None:
    """Text, or None for NULL."""
    return None if value is None else str(value)


def texts(value: object) -> tuple[str, ...]:
    """An array of text that the server sent; empty for NULL."""
    return tuple(str(item) for item in value) if isinstance(value, list) else ()
