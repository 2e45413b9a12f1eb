"""The `Database` port over psycopg: short reads of their own, and sessions that a step keeps.

Every session carries its application's name, ends with the block that opened it and rolls back what was open.
The line is protected as the plan says, whatever the connection string says. Every wait is bounded.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from psycopg import sql

from console.adapters.database.connecting import Target
from console.adapters.database.reading import (
    BACKENDS,
    COUNTERS,
    IDENTITY,
    SYSTEM_IDENTIFIER,
    TABLES,
    Counters,
    Identity,
    Table,
    backend,
)
from console.adapters.database.session import PostgresSession
from console.domain.databases import Backend, DatabaseIdentity, TableCount
from console.errors import DatabaseError
from console.ports import Clock, Row
from console.secrets import Secret

_APPLICATION = "release-console"
_READ_S = 30.0
_COUNT_S = 900.0
_SLACK_S = 10.0
_CLOSE_S = 5.0
_ALIVE_CHECK = "5s"
_NO_PRIVILEGE = "42501"
_READ_ONLY = {"default_transaction_read_only": "on"}


class PostgresDatabase:
    """A PostgreSQL database. Raises DatabaseError.

    `url` is its connection string; `tls` (see `TLS_MODES`) outranks what the string says. Roots for verifying are
    the string's `sslrootcert`, else `PGSSLROOTCERT`, else the system's.
    """

    def __init__(self, url: Secret, clock: Clock, *, tls: str = "verify-full") -> None:
        self._target = Target(url, tls)
        self._clock = clock

    async def identity(self) -> DatabaseIdentity:
        """Who answers, how the line is protected, whose clock."""
        async with self._reading(_READ_S) as session:
            asked = self._clock.now()
            (found,) = await session.fetch_as(Identity, IDENTITY)
            middle = asked + (self._clock.now() - asked) / 2
            host, port = session.address
            version = found.tls_version or "TLS"
            return DatabaseIdentity(
                host=host,
                port=port,
                database=found.database,
                role=found.role,
                version=found.version,
                tls=f"{version}, {self._target.tls}" if session.encrypted else "none",
                in_recovery=found.in_recovery,
                system_identifier=await self._system_identifier(session),
                superuser=found.superuser,
                clock_offset=(found.server_time - middle).total_seconds(),
                server_time=found.server_time,
            )

    @asynccontextmanager
    async def session(
        self, application: str, *, settings: Mapping[str, str] | None = None, read_only: bool = False
    ) -> AsyncIterator[PostgresSession]:
        """A session in autocommit, closed and so rolled back on the way out.

        Its statements are bounded by what `settings` say (`statement_timeout`, `lock_timeout`). The server ends the
        session by itself when the console is gone.
        """
        link = await self._target.connect(application)
        try:
            session = PostgresSession(link, self._target.secrets)
            await session.notice_a_dead_console(_ALIVE_CHECK)
            await session.set({**(_READ_ONLY if read_only else {}), **(settings or {})})
            yield session
        finally:
            async with asyncio.timeout(_CLOSE_S):
                await link.close()

    async def fetch(self, sql: str, params: Mapping[str, object] | None = None) -> list[Row]:
        """Run one read in a short session of its own, in a read-only transaction, for at most half a minute."""
        async with self._reading(_READ_S) as session:
            return await session.fetch(sql, params)

    async def counts(self) -> tuple[TableCount, ...]:
        """Exact row counts of every ordinary table outside the system schemas, of one moment, with their counters.

        A table is called by its name, with its schema before it where that is not `public`.
        """
        async with self._reading(_COUNT_S) as session:
            # Row security would make a count of some rows look like one of all: better an error.
            await session.set({"row_security": "off"})
            counters = {(found.schema, found.name): found for found in await session.fetch_as(Counters, COUNTERS)}
            tables = await session.fetch_as(Table, TABLES)
            return tuple([await self._counted(session, table, counters) for table in tables])

    async def backends(self) -> tuple[Backend, ...]:
        """The client sessions of this database, our own reading one left out."""
        async with self._reading(_READ_S) as session:
            return tuple(await session.fetch_as(backend, BACKENDS))

    async def end_backend(self, pid: int) -> bool:
        """End a session; whether there was one to end."""
        async with self.session(_APPLICATION, settings=_bound(_READ_S)) as session:
            (row,) = await session.fetch("SELECT pg_terminate_backend(%(pid)s) AS ended", {"pid": pid})
            return row["ended"] is True

    @asynccontextmanager
    async def _reading(self, seconds: float) -> AsyncIterator[PostgresSession]:
        """A session inside one read-only transaction; the whole of it takes at most `seconds`, and a little."""
        try:
            async with (
                asyncio.timeout(seconds + _SLACK_S),
                self.session(_APPLICATION, settings=_bound(seconds), read_only=True) as session,
            ):
                await session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                yield session
        except TimeoutError as late:
            raise DatabaseError(
                f"The database did not answer within {seconds + _SLACK_S:.0f} s.",
                production="Only a reading was under way.",
                remedy="See whether the server is up and what keeps it busy, then retry.",
                retryable=True,
            ) from late

    @staticmethod
    async def _counted(
        session: PostgresSession, table: Table, counters: Mapping[tuple[str, str], Counters]
    ) -> TableCount:
        name = sql.Identifier(table.schema, table.name).as_string()
        (rows,) = await session.fetch_as(_rows, f"SELECT count(*) AS rows FROM ONLY {name}")  # noqa: S608 - quoted
        known = counters.get((table.schema, table.name), Counters(table.schema, table.name, 0, 0, 0))
        return TableCount(
            table=table.shown,
            rows=rows,
            inserted=known.inserted,
            updated=known.updated,
            deleted=known.deleted,
        )

    @staticmethod
    async def _system_identifier(session: PostgresSession) -> str:
        """The cluster's own number, empty where the role may not see it. The last question of its transaction."""
        try:
            (row,) = await session.fetch(SYSTEM_IDENTIFIER)
        except DatabaseError as error:
            if error.sqlstate != _NO_PRIVILEGE:
                raise
            return ""
        return str(row["identifier"])


def _bound(seconds: float) -> dict[str, str]:
    return {"statement_timeout": f"{seconds * 1000:.0f}ms", "lock_timeout": f"{_READ_S * 1000:.0f}ms"}


def _rows(*, rows: int) -> int:
    return rows
