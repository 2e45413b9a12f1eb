"""Who waits for whom around the migration's session, and how far PostgreSQL says its statement is."""

from collections.abc import Sequence
from dataclasses import dataclass

from console.domain.databases import Backend
from console.migration.reading import Reader, whole
from console.ports import Database


@dataclass(frozen=True, slots=True)
class Blockage:
    """The sessions that keep `pid` waiting, and those that wait for it, also through others; longest wait first."""

    pid: int
    blocking: tuple[Backend, ...]
    waiting: tuple[Backend, ...]

    @property
    def longest_wait(self) -> float:
        """For how many seconds the first of those that wait for us has been waiting."""
        return max((backend.query_seconds for backend in self.waiting), default=0.0)


@dataclass(frozen=True, slots=True)
class StatementProgress:
    """What a progress view says of a running command: its phase and its share (0–1) where it is known."""

    command: str
    phase: str
    share: float | None


async def watch_blockers(database: Database, pid: int) -> Blockage:
    """Look once; the caller repeats it while the migration runs. Raises DatabaseError."""
    return blockage(await database.backends(), pid)


def blockage(backends: Sequence[Backend], pid: int) -> Blockage:
    """Who waits for whom around one session."""
    us = next((backend for backend in backends if backend.pid == pid), None)
    blocking = tuple(backend for backend in backends if us is not None and backend.pid in us.waits_for)
    behind = _behind(backends, pid)
    waiting = sorted((backend for backend in backends if backend.pid in behind), key=lambda one: -one.query_seconds)
    return Blockage(pid, blocking, tuple(waiting))


def _behind(backends: Sequence[Backend], pid: int) -> set[int]:
    """Everybody who waits for `pid`, directly or for somebody who does."""
    found = {pid}
    grew = True
    while grew:
        more = {backend.pid for backend in backends if found.intersection(backend.waits_for)} - found
        found |= more
        grew = bool(more)
    return found - {pid}


async def statement_progress(reader: Reader, pid: int) -> StatementProgress | None:
    """What PostgreSQL's progress views say of a session now; None for commands that have none (UPDATE, for one)."""
    rows = await reader.fetch(
        "SELECT command, phase, blocks_done AS done, blocks_total AS total FROM pg_stat_progress_create_index "
        "WHERE pid = %(pid)s UNION ALL "
        "SELECT command, phase, heap_blks_scanned, heap_blks_total FROM pg_stat_progress_cluster WHERE pid = %(pid)s",
        {"pid": pid},
    )
    if not rows:
        return None
    total = whole(rows[0]["total"])
    share = whole(rows[0]["done"]) / total if total else None
    return StatementProgress(str(rows[0]["command"]), str(rows[0]["phase"]), share)
