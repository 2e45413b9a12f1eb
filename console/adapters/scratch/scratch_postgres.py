"""The `ScratchPostgres` port: restores a backup where it can harm nothing, and says what that proves.

The server is the one that the plan names, else one started here from PostgreSQL's programs: the fullest
installation that is new enough for the dump.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from psycopg.conninfo import make_conninfo

from console.adapters.database.connecting import Target
from console.adapters.database.database import PostgresDatabase
from console.adapters.scratch.archive import Contents
from console.adapters.scratch.restoring import UNCHANGED, Dump, Manner, restore, too_old, unpacked
from console.adapters.scratch.server import private_server
from console.domain.databases import RestoreReport
from console.domain.outcome import Progress
from console.ports import Clock, Database, Report
from console.secrets import Secret

_DATABASE = "restored"


class ScratchServer:
    """Restores archives. `url` and `tls` name a server of the plan's on which databases may be made and dropped."""

    def __init__(self, clock: Clock, *, url: Secret | None = None, tls: str = "verify-full") -> None:
        self._clock = clock
        self._url = url
        self._tls = tls if url is not None else "disable"

    async def listing(self, archive: Path) -> tuple[str, ...]:
        """The table of contents, as `pg_restore --list` gives it. Raises StepFailed for a damaged archive."""
        async with unpacked(archive, _silent) as dump:
            return dump.contents.entries

    @asynccontextmanager
    async def restored(self, archive: Path, report: Report) -> AsyncIterator[tuple[Database, RestoreReport]]:
        """Restore a directory archive and give the database; gone on the way out, also when cancelled.

        Raises StepFailed when the archive cannot be read or restored, or no server here is new enough for it.
        """
        async with unpacked(archive, report) as dump, self._empty_database(dump, report) as (url, server):
            began = self._clock.monotonic()
            manner = _manner(dump.programs.title)
            unproven = await restore(dump, Target(url, self._tls), report, manner) + _left_out(dump.contents)
            seconds = self._clock.monotonic() - began
            database = PostgresDatabase(url, self._clock, tls=self._tls)
            yield database, RestoreReport(server, seconds, len(dump.contents.entries), unproven)

    @asynccontextmanager
    async def _empty_database(self, dump: Dump, report: Report) -> AsyncIterator[tuple[Secret, str]]:
        """An empty database for the dump: its connection string, and the server's name on screen."""
        if self._url is not None:
            async with self._database_on(self._url, dump) as made:
                yield made
        else:
            await report(Progress(f"starting a scratch server: {dump.programs.title}"))
            async with private_server(dump.programs, dump.runner, dump.home, self._clock) as running:
                admin = PostgresDatabase(running.url("postgres"), self._clock, tls="disable")
                async with admin.session("release-console") as session:
                    await session.execute(f"CREATE DATABASE {_DATABASE} TEMPLATE template0")
                yield running.url(_DATABASE), dump.programs.title

    @asynccontextmanager
    async def _database_on(self, url: Secret, dump: Dump) -> AsyncIterator[tuple[Secret, str]]:
        admin = PostgresDatabase(url, self._clock, tls=self._tls)
        version = (await admin.identity()).version
        if int(version.split(".")[0]) < dump.contents.major:
            raise too_old(f"The scratch server of the plan is PostgreSQL {version}", dump.contents.major)
        name = f"rc_scratch_{secrets.token_hex(6)}"
        async with admin.session("release-console") as session:
            await session.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield Secret(make_conninfo(url.reveal(), dbname=name), url.source), f"PostgreSQL {version} (of the plan)"
        finally:
            async with admin.session("release-console") as session:
                await session.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _manner(into: str) -> Manner:
    return Manner(
        # A restored subscription could connect to production's publisher.
        ("--no-owner", "--no-privileges", "--no-tablespaces", "--no-subscriptions", "--no-security-labels"),
        into=into,
        production=f"{UNCHANGED} This backup could not be used to restore it.",
        remedy="Look at the lines; reopen the backup and have the provider make another, or restore it elsewhere.",
    )


def _left_out(contents: Contents) -> tuple[str, ...]:
    """What is in the archive and never restored into a scratch server."""
    kinds = {"ACL": "grants", "DEFAULT ACL": "default grants", "SUBSCRIPTION": "subscriptions"}
    counted = {words: contents.count(kind) for kind, words in kinds.items()}
    return tuple(f"{count} {words}: not restored into a scratch server" for words, count in counted.items() if count)


async def _silent(_: Progress) -> None:
    """Nobody watches a listing."""
