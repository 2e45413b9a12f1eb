"""The `Session` port: one connection, its statements, its notices."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import TypeVar

import psycopg
from psycopg.rows import kwargs_row

from console.adapters.database.connecting import Link
from console.adapters.database.errors import translated
from console.errors import DatabaseError
from console.ports import Row

_NOTICES = 1_000

T = TypeVar("T")


class PostgresSession:
    """A session in autocommit. Raises DatabaseError with the SQLSTATE.

    A cancelled call cancels its statement in the server before it returns.
    """

    def __init__(self, link: Link, secrets: tuple[str, ...]) -> None:
        self._link = link
        self._secrets = secrets
        self._notices: deque[str] = deque(maxlen=_NOTICES)
        link.add_notice_handler(self._notice)

    @property
    def pid(self) -> int:
        """The backend's process id."""
        return self._link.info.backend_pid

    @property
    def address(self) -> tuple[str, int]:
        """The host (or the socket's folder) and port that answered."""
        return self._link.info.host or self._link.info.hostaddr, self._link.info.port

    @property
    def encrypted(self) -> bool:
        """Whether the line is."""
        return self._link.pgconn.ssl_in_use

    async def fetch(self, sql: str, params: Mapping[str, object] | None = None) -> list[Row]:
        """Run one statement and return its rows, none where it gives none. Without `params`, `%` is itself."""
        try:
            async with self._link.cursor() as cursor:
                await cursor.execute(sql.encode(), params)
                return await cursor.fetchall() if cursor.description is not None else []
        except psycopg.Error as error:
            failure = translated(error, self._secrets)
        raise failure

    async def fetch_as(self, make: Callable[..., T], sql: str, params: Mapping[str, object] | None = None) -> list[T]:
        """Run one query and make something of each row, whose columns become keyword arguments."""
        try:
            async with self._link.cursor(row_factory=kwargs_row(make)) as cursor:
                await cursor.execute(sql.encode(), params)
                return await cursor.fetchall()
        except psycopg.Error as error:
            failure = translated(error, self._secrets)
        raise failure

    async def execute(self, sql: str, params: Mapping[str, object] | None = None) -> int:
        """Run one statement; how many rows it touched (-1 where that means nothing)."""
        try:
            async with self._link.cursor() as cursor:
                await cursor.execute(sql.encode(), params)
                return cursor.rowcount
        except psycopg.Error as error:
            failure = translated(error, self._secrets)
        raise failure

    async def notices(self) -> tuple[str, ...]:
        """Notices and warnings since the last call, at most the last thousand."""
        taken = tuple(self._notices)
        self._notices.clear()
        return taken

    async def set(self, settings: Mapping[str, str]) -> None:
        """Set server settings for this session, all or none."""
        if not settings:
            return
        words = ", ".join(f"set_config(%(name{n})s, %(value{n})s, false)" for n in range(len(settings)))
        names = {f"name{n}": name for n, name in enumerate(settings)}
        values = {f"value{n}": value for n, value in enumerate(settings.values())}
        await self.fetch(f"SELECT {words}", {**names, **values})

    async def notice_a_dead_console(self, interval: str) -> None:
        """Let the server look every `interval` whether we are still there, where it can."""
        sql = (
            "SELECT set_config(name, %(value)s, false) FROM pg_settings WHERE name = 'client_connection_check_interval'"
        )
        try:
            await self.fetch(sql, {"value": interval})
        except DatabaseError as error:
            # A server on a system that cannot look knows the setting and refuses every value but 0.
            if error.sqlstate != "22023":
                raise

    def _notice(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        self._notices.append(f"{diagnostic.severity}: {diagnostic.message_primary}")
