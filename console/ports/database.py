"""Databases: sessions, reads, and throw-away servers. Raises DatabaseError with the SQLSTATE."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from console.domain.databases import Backend, DatabaseIdentity, RestoreReport, TableCount
from console.ports.running import Report

Row = dict[str, object]


class Session(Protocol):
    """One database session. Raises DatabaseError with the SQLSTATE."""

    @property
    def pid(self) -> int:
        """The backend's process id."""

    async def fetch(self, sql: str, params: Mapping[str, object] | None = None) -> list[Row]:
        """Run one statement and return its rows. Parameters are written `%(name)s`; without any, `%` is itself."""

    async def execute(self, sql: str, params: Mapping[str, object] | None = None) -> int:
        """Run one statement; how many rows it touched (-1 where that means nothing)."""

    async def notices(self) -> tuple[str, ...]:
        """Notices and warnings since the last call."""


class Database(Protocol):
    """A PostgreSQL database. Raises DatabaseError."""

    async def identity(self) -> DatabaseIdentity:
        """Who answers, how the line is protected, whose clock."""

    def session(
        self, application: str, *, settings: Mapping[str, str] | None = None, read_only: bool = False
    ) -> AbstractAsyncContextManager[Session]:
        """A session in autocommit; `BEGIN`, `COMMIT` are statements. Closed, and so rolled back, on the way out.

        `settings` are server settings for this session, e.g. `{"lock_timeout": "3s"}`.
        """

    async def fetch(self, sql: str, params: Mapping[str, object] | None = None) -> list[Row]:
        """Run one read in a short session of its own, in a read-only transaction."""

    async def counts(self) -> tuple[TableCount, ...]:
        """Exact row counts of every ordinary table outside the system schemas, with their counters."""

    async def backends(self) -> tuple[Backend, ...]:
        """The client sessions of this database, our own reading one left out."""

    async def end_backend(self, pid: int) -> bool:
        """End a session (`pg_terminate_backend`)."""


class ScratchPostgres(Protocol):
    """A throw-away PostgreSQL server into which a backup can be restored."""

    def restored(self, archive: Path, report: Report) -> AbstractAsyncContextManager[tuple[Database, RestoreReport]]:
        """Restore a directory archive (`.dir.tar.gz`) and give the database; gone on the way out.

        Raises StepFailed when the archive cannot be listed or restored.
        """

    async def listing(self, archive: Path) -> tuple[str, ...]:
        """The table of contents, as `pg_restore --list` gives it."""
