"""A small pool of PostgreSQL connections, like the one of the release's `database/pool.js`.

What always holds: a connection that broke is not handed out again; no statement runs longer than 15 s.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from psycopg import AsyncConnection, AsyncRawCursor, OperationalError
from psycopg.rows import DictRow, dict_row

_SIZE = 4
_CONNECT_TIMEOUT_S = 5
_STATEMENT_TIMEOUT_MS = 15_000

Link = AsyncConnection[DictRow]
Parameter = str | int | float | None


class Pool:
    """At most four connections to `url`: one from the beginning, the others when they are needed.

    `name` is the application name under which the server lists them.
    """

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self._free: list[Link] = []
        self._slots = asyncio.Semaphore(_SIZE)

    async def open(self) -> None:
        """Make the first connection. A server that does not answer keeps nobody from starting: it is said."""
        try:
            self._free.append(await self._connect())
        except OperationalError as failed:
            print(f"WARNING the database cannot be reached at the start ({type(failed).__name__})", flush=True)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Link]:
        """Lend a connection in autocommit. Raises `psycopg.OperationalError` when none can be made."""
        async with self._slots:
            link = self._free.pop() if self._free else await self._connect()
            try:
                yield link
            finally:
                if not link.closed and not link.broken:
                    self._free.append(link)

    async def close(self) -> None:
        """Close the connections that are not lent."""
        while self._free:
            await self._free.pop().close()

    async def _connect(self) -> Link:
        return await AsyncConnection.connect(
            self._url,
            autocommit=True,
            connect_timeout=_CONNECT_TIMEOUT_S,
            application_name=self._name,
            options=f"-c statement_timeout={_STATEMENT_TIMEOUT_MS}",
            row_factory=dict_row,
            cursor_factory=AsyncRawCursor,
        )


async def rows(link: Link, query: str, *parameters: Parameter) -> list[DictRow]:
    """Run `query` with `$1 …` placeholders and return what it gives."""
    cursor = await link.execute(query.encode(), parameters)
    return await cursor.fetchall() if cursor.description is not None else []


async def row(link: Link, query: str, *parameters: Parameter) -> DictRow | None:
    """The first row of a query, or None."""
    found = await rows(link, query, *parameters)
    return found[0] if found else None
