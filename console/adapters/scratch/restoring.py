"""Restoring an archive with `pg_restore`: unpacked where only its programs may look, run, and judged by what it says.

What always holds: the password goes through the environment, never through the arguments; what was unpacked is gone
on the way out, also when cancelled.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from console.adapters.database.connecting import Target
from console.adapters.scratch.archive import Contents, damaged, unpack
from console.adapters.scratch.complaints import complaints, judge
from console.adapters.scratch.programs import ProgramFailed, Programs, Runner, installations
from console.adapters.scratch.progress import watched, watched_thread
from console.adapters.scratch.server import scratch_folder
from console.domain.outcome import Progress
from console.errors import StepFailed
from console.ports import Report

UNCHANGED = "Production is unchanged."
_LIST_S = 120.0
_RESTORE_S = 4 * 3600.0


@dataclass(frozen=True, slots=True)
class Dump:
    """An unpacked archive, what it holds, and the programs that can deal with it."""

    archive: Path
    home: Path
    folder: Path
    contents: Contents
    programs: Programs
    runner: Runner


@dataclass(frozen=True, slots=True)
class Manner:
    """How to restore: options of `pg_restore`, and what to say when it fails: into what, what holds then, what to do.

    `whole`: what the server lacks is a failure too. `lenient` names kinds of entries (`ACL` …) whose failing is told
    as unproven and held against nobody.
    """

    options: tuple[str, ...]
    into: str
    production: str
    remedy: str
    whole: bool = False
    lenient: tuple[str, ...] = ()


@asynccontextmanager
async def unpacked(archive: Path, report: Report) -> AsyncIterator[Dump]:
    """Unpack an archive and read its table of contents; gone on the way out.

    Raises StepFailed for a damaged archive, or when no PostgreSQL here is new enough for it.
    """
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
        yield Dump(archive, folder, dump, contents, fit(found, contents.major), runner)


async def restore(dump: Dump, target: Target, report: Report, manner: Manner) -> tuple[str, ...]:
    """Run `pg_restore` and judge what it says. Returns what could not be proven there, by name. Raises StepFailed."""
    environment = target.environment()
    total, done = max(len(dump.contents.entries), 1), 0

    def on_line(line: str) -> None:
        nonlocal done
        done += line.startswith(("pg_restore: creating ", "pg_restore: processing data "))

    work = dump.runner.run(
        dump.programs.bin / "pg_restore",
        *("--verbose", f"--dbname={environment['PGDATABASE']}", *manner.options, str(dump.folder)),
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
        raise _not_restored(dump, manner, str(failed), failed.lines) from failed
    said = complaints(tuple(line.replace(f"{dump.home}/", "") for line in lines))
    verdict = judge(said, whole=manner.whole, lenient=manner.lenient)
    if verdict.damaged:
        raise damaged(dump.archive, verdict.damaged[0], verdict.damaged)
    if verdict.faults:
        raise _not_restored(dump, manner, verdict.faults[0], verdict.faults)
    return verdict.unproven


def fit(found: tuple[Programs, ...], major: int) -> Programs:
    """The fullest installation that is new enough. Raises StepFailed when there is none."""
    for programs in found:
        if programs.major >= major:
            return programs
    here = ", ".join(programs.title for programs in found)
    raise too_old(f"There is {here} here", major)


def too_old(what: str, major: int) -> StepFailed:
    """The error for a PostgreSQL that cannot take the backup."""
    return StepFailed(
        f"{what}, but the backup needs PostgreSQL {major} or later.",
        production=UNCHANGED,
        remedy=f"Install PostgreSQL {major}, or name such a server in the plan ([database] scratch_url).",
    )


async def _listed(runner: Runner, found: tuple[Programs, ...], archive: Path, dump: Path) -> Contents:
    if not found:
        raise StepFailed(
            "There is no PostgreSQL on this machine to restore the backup with.",
            production=UNCHANGED,
            remedy="Install it (postgresql), or name a server in the plan ([database] scratch_url).",
        )
    newest = max(found, key=lambda programs: programs.major)
    try:
        return Contents.of(await runner.run(newest.bin / "pg_restore", "--list", str(dump), timeout=_LIST_S))
    except ProgramFailed as failed:
        if "unsupported version" in str(failed):
            raise too_old(f"The newest here is {newest.title}", newest.major + 1) from failed
        raise damaged(archive, str(failed), failed.lines) from failed


def _not_restored(dump: Dump, manner: Manner, how: str, lines: tuple[str, ...]) -> StepFailed:
    return StepFailed(
        f"The backup {dump.archive.name} cannot be restored into {manner.into}: {how}",
        production=manner.production,
        remedy=manner.remedy,
        lines=lines,
    )
