"""The `ScratchPostgres` port: restores a backup where it can harm nothing, and says what that proves.

The server is the one that the plan names, else one started here from PostgreSQL's programs: the fullest
installation that is new enough for the dump.
"""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from psycopg.conninfo import make_conninfo

from console.adapters.database import PostgresDatabase, Target
from console.adapters.scratch.archive import Contents, damaged, unpack
from console.adapters.scratch.complaints import complaints, judge
from console.adapters.scratch.programs import ProgramFailed, Programs, Runner, installations
from console.adapters.scratch.progress import watched, watched_thread
from console.adapters.scratch.server import private_server, scratch_folder
from console.domain.databases import RestoreReport
from console.domain.outcome import Progress
from console.errors import StepFailed
from console.ports import Clock, Database, Report
from console.secrets import Secret

_LIST_S = 120.0
_RESTORE_S = 4 * 3600.0
_DATABASE = "restored"
_UNCHANGED = "Production is unchanged."


@dataclass(frozen=True, slots=True)
class _Dump:
    """An unpacked archive, what it holds, and the programs that can deal with it."""

    archive: Path
    home: Path
    folder: Path
    contents: Contents
    programs: Programs
    runner: Runner


class ScratchServer:
    """Restores archives. `url` and `tls` name a server of the plan's on which databases may be made and dropped."""

    def __init__(self, clock: Clock, *, url: Secret | None = None, tls: str = "verify-full") -> None:
        self._clock = clock
        self._url = url
        self._tls = tls if url is not None else "disable"

    async def listing(self, archive: Path) -> tuple[str, ...]:
        """The table of contents, as `pg_restore --list` gives it. Raises StepFailed for a damaged archive."""
        async with self._unpacked(archive, _silent) as dump:
            return dump.contents.entries

    @asynccontextmanager
    async def restored(self, archive: Path, report: Report) -> AsyncIterator[tuple[Database, RestoreReport]]:
        """Restore a directory archive and give the database; gone on the way out, also when cancelled.

        Raises StepFailed when the archive cannot be read or restored, or no server here is new enough for it.
        """
        async with self._unpacked(archive, report) as dump, self._empty_database(dump, report) as (url, server):
            began = self._clock.monotonic()
            unproven = await self._restore(dump, url, report)
            seconds = self._clock.monotonic() - began
            database = PostgresDatabase(url, self._clock, tls=self._tls)
            yield database, RestoreReport(server, seconds, len(dump.contents.entries), unproven)

    @asynccontextmanager
    async def _unpacked(self, archive: Path, report: Report) -> AsyncIterator[_Dump]:
        runner = Runner.choose()
        async with scratch_folder(runner) as folder:
            place = folder / "dump"
            place.mkdir(mode=0o700)
            dump = await watched_thread(
                partial(unpack, archive, place),
                lambda done: Progress(f"unpacking the backup: {done / 1e6:.0f} MB"),
                report,
            )
            for path in [place, *place.rglob("*")]:
                runner.give(path)
            found = await installations(runner, folder)
            contents = await _listed(runner, found, archive, dump)
            yield _Dump(archive, folder, dump, contents, _fit(found, contents.major), runner)

    @asynccontextmanager
    async def _empty_database(self, dump: _Dump, report: Report) -> AsyncIterator[tuple[Secret, str]]:
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
    async def _database_on(self, url: Secret, dump: _Dump) -> AsyncIterator[tuple[Secret, str]]:
        admin = PostgresDatabase(url, self._clock, tls=self._tls)
        version = (await admin.identity()).version
        if int(version.split(".")[0]) < dump.contents.major:
            raise _too_old(f"The scratch server of the plan is PostgreSQL {version}", dump.contents.major)
        name = f"rc_scratch_{secrets.token_hex(6)}"
        async with admin.session("release-console") as session:
            await session.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield Secret(make_conninfo(url.reveal(), dbname=name), url.source), f"PostgreSQL {version} (of the plan)"
        finally:
            async with admin.session("release-console") as session:
                await session.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    async def _restore(self, dump: _Dump, url: Secret, report: Report) -> tuple[str, ...]:
        """Run `pg_restore` and judge what it says. Returns what this server cannot prove, by name."""
        environment = Target(url, self._tls).environment()
        total, done = max(len(dump.contents.entries), 1), 0

        def on_line(line: str) -> None:
            nonlocal done
            done += line.startswith(("pg_restore: creating ", "pg_restore: processing data "))

        work = dump.runner.run(
            dump.programs.bin / "pg_restore",
            *("--verbose", f"--dbname={environment['PGDATABASE']}", "--no-owner", "--no-privileges"),
            # A restored subscription could connect to production's publisher.
            *("--no-tablespaces", "--no-subscriptions", "--no-security-labels", str(dump.folder)),
            timeout=_RESTORE_S,
            environment=environment,
            on_line=on_line,
            expect=(0, 1),
        )
        try:
            lines = await watched(
                work, lambda: Progress(f"restoring: {done} of {total} objects", share=min(done / total, 1.0)), report
            )
        except ProgramFailed as failed:
            raise _not_restored(dump, str(failed), failed.lines) from failed
        verdict = judge(complaints(tuple(line.replace(f"{dump.home}/", "") for line in lines)))
        if verdict.damaged:
            raise damaged(dump.archive, verdict.damaged[0], verdict.damaged)
        if verdict.faults:
            raise _not_restored(dump, verdict.faults[0], verdict.faults)
        return verdict.unproven + _left_out(dump.contents)


async def _listed(runner: Runner, found: tuple[Programs, ...], archive: Path, dump: Path) -> Contents:
    if not found:
        raise StepFailed(
            "There is no PostgreSQL on this machine to restore the backup into.",
            production=_UNCHANGED,
            remedy="Install it (postgresql), or name a server in the plan ([database] scratch_url).",
        )
    newest = max(found, key=lambda programs: programs.major)
    try:
        return Contents.of(await runner.run(newest.bin / "pg_restore", "--list", str(dump), timeout=_LIST_S))
    except ProgramFailed as failed:
        if "unsupported version" in str(failed):
            raise _too_old(f"The newest here is {newest.title}", newest.major + 1) from failed
        raise damaged(archive, str(failed), failed.lines) from failed


def _fit(found: tuple[Programs, ...], major: int) -> Programs:
    """The fullest installation that is new enough."""
    for programs in found:
        if programs.major >= major:
            return programs
    here = ", ".join(programs.title for programs in found)
    raise _too_old(f"There is {here} here", major)


def _left_out(contents: Contents) -> tuple[str, ...]:
    """What is in the archive and never restored into a scratch server."""
    kinds = {"ACL": "grants", "DEFAULT ACL": "default grants", "SUBSCRIPTION": "subscriptions"}
    counted = {words: contents.count(kind) for kind, words in kinds.items()}
    return tuple(f"{count} {words}: not restored into a scratch server" for words, count in counted.items() if count)


def _too_old(what: str, major: int) -> StepFailed:
    return StepFailed(
        f"{what}, but the backup needs PostgreSQL {major} or later.",
        production=_UNCHANGED,
        remedy=f"Install PostgreSQL {major}, or name such a server in the plan ([database] scratch_url).",
    )


def _not_restored(dump: _Dump, how: str, lines: tuple[str, ...]) -> StepFailed:
    return StepFailed(
        f"The backup {dump.archive.name} cannot be restored into {dump.programs.title}: {how}",
        production=f"{_UNCHANGED} This backup could not be used to restore it.",
        remedy="Look at the lines; reopen the backup and have the provider make another, or restore it elsewhere.",
        lines=lines,
    )


async def _silent(_: Progress) -> None:
    """Nobody watches a listing."""
