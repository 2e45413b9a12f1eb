"""Who waits for whom while the migration runs, beside what it is doing: on the screen, never in its way."""

import asyncio
from dataclasses import replace
from types import TracebackType
from typing import Self

from console.actions.sessions import session_text
from console.actions.wording import lasting
from console.domain.outcome import Line, Progress, Tone
from console.errors import DatabaseError
from console.migration.blockers import Blockage, blockage
from console.ports import Clock, Database, Report

_EVERY = 0.5


class Narrator:
    """Passes a migration's reports on, and adds twice a second who blocks it and whom it blocks.

    Use as an async context manager around the run. A look that fails is said and ends nothing.
    """

    def __init__(self, database: Database, pid: int, clock: Clock, report: Report) -> None:
        self._database = database
        self._pid = pid
        self._clock = clock
        self._report = report
        self._last = Progress("starting")
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._watching = asyncio.create_task(self._watch(), name="who waits for whom")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait([self._watching])

    async def report(self, progress: Progress) -> None:
        """Report what the migration does."""
        self._last = progress
        await self._report(progress)

    async def _watch(self) -> None:
        while True:
            await self._clock.sleep(_EVERY)
            try:
                lines = _lines(blockage(await self._database.backends(), self._pid))
            except DatabaseError as error:
                lines = (Line(f"who waits for whom cannot be seen: {error.message}", tone=Tone.QUIET),)
            if lines:
                await self._report(replace(self._last, lines=lines, data={}, durable=False))


def _lines(found: Blockage) -> tuple[Line, ...]:
    blocking = tuple(Line(f"we wait for {session_text(b)}", tone=Tone.WARNING) for b in found.blocking)
    waiting = tuple(Line(f"waits for us: {session_text(b)}") for b in found.waiting[:10])
    if len(found.waiting) > 1:
        head = f"{len(found.waiting)} sessions wait for us, the longest for {lasting(found.longest_wait)}"
        waiting = (Line(head, tone=Tone.WARNING), *waiting)
    return (*blocking, *waiting)
