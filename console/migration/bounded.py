"""A session whose every call ends: the server has its own time-outs, and this bounds the wait for its answer."""

import asyncio
from collections.abc import Mapping

from console.errors import DatabaseError
from console.ports import Row, Session

GRACE = 15.0
"""Seconds that a server may take beyond its own time-out to say so."""

_CONNECTION_STATES = frozenset({"57P01", "57P02", "57P03", "25P03", "25P04"})


def connection_lost(error: DatabaseError) -> bool:
    """Whether the error means that the connection is gone, so that the server alone knows how the statement ended."""
    return not error.sqlstate or error.sqlstate.startswith("08") or error.sqlstate in _CONNECTION_STATES


class BoundedSession:
    """A session that waits at most `seconds` (plus a grace) for each answer; then it raises DatabaseError."""

    def __init__(self, session: Session, seconds: float) -> None:
        self._session = session
        self._seconds = seconds + GRACE

    @property
    def pid(self) -> int:
        """The backend's process id."""
        return self._session.pid

    async def fetch(self, sql: str, params: Mapping[str, object] | None = None) -> list[Row]:
        """Run one statement and return its rows."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._session.fetch(sql, params)
        except TimeoutError as error:
            raise self._silence() from error

    async def execute(self, sql: str, params: Mapping[str, object] | None = None) -> int:
        """Run one statement; how many rows it touched."""
        try:
            async with asyncio.timeout(self._seconds):
                return await self._session.execute(sql, params)
        except TimeoutError as error:
            raise self._silence() from error

    async def notices(self) -> tuple[str, ...]:
        """Notices and warnings since the last call."""
        return await self._session.notices()

    def _silence(self) -> DatabaseError:
        return DatabaseError(f"The server has not answered for {self._seconds:.0f} s.")
