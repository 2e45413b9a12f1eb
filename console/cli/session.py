"""One opened run: its journal, its feed and its conductor, wired to the world; driven by a person or unattended.

What always holds: the journal's lock is held from opening to closing, and leaving (also by an error or an
interrupt) lets the conductor go of the run first, so that what ran is found again by the next start.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from console import __version__
from console.cli.wiring import Wired, actor, wired
from console.domain.fold import fold
from console.domain.plan import Plan
from console.domain.wire import decode_plan, encode_plan
from console.engine.clock import WallClock
from console.engine.conductor import About, Conductor
from console.engine.driver import Driver
from console.engine.feed import RunFeed
from console.engine.journal import FileJournal
from console.engine.logwatch import LogWatcher
from console.engine.monitor import Monitor
from console.engine.tail import TailWriter


@dataclass(frozen=True, slots=True)
class Session:
    """A run that is open in this process. `driving` ends when the run is finished or let go of."""

    plan: Plan
    journal: FileJournal
    feed: RunFeed
    conductor: Conductor
    wired: Wired
    driving: asyncio.Task[object]


@asynccontextmanager
async def opened(folder: Path, plan: Plan | None, *, pace: float, rehearsal: bool) -> AsyncIterator[Session]:
    """Open the run in `folder`: a new one of `plan`, or the one that is there (then its frozen plan counts).

    Raises JournalError, JournalLocked, JournalBroken, SecretError.
    """
    driver = Driver.here(actor())
    if plan is not None:
        journal = FileJournal.create(folder, folder.name, encode_plan(plan), driver)
    else:
        journal = FileJournal.open(folder, driver)
        plan = decode_plan(journal.plan_json)
    clock = WallClock(pace)
    feed = RunFeed(fold(plan, journal.events()))
    try:
        async with wired(plan, cache=folder.parent.parent / "cache", clock=clock, feed=feed) as world:
            remarks = (f"a torn last line of {journal.torn} bytes was cut off",) if journal.torn else ()
            about = About(actor(), os.uname().nodename, os.getpid(), __version__, rehearsal, remarks)
            conductor = Conductor(plan, journal, world.actions, clock, feed, about, redact=world.redactor.text)
            async with contextlib.AsyncExitStack() as stack:
                driving = asyncio.create_task(conductor.run(), name="conductor")
                stack.push_async_callback(_let_go, conductor, driving)
                services = [service.id for service in plan.services_in("production")]
                tail = TailWriter(folder)
                log = LogWatcher(world.ports.telemetry, services, feed, conductor.record, clock, tail)
                monitor = Monitor(feed, conductor.record, clock, world.ports.hosting)
                for watching in (log.run(), monitor.run()):
                    stack.push_async_callback(_end, asyncio.create_task(watching))
                yield Session(plan, journal, feed, conductor, world, driving)
    finally:
        await journal.close()


async def _end(watching: asyncio.Task[None]) -> None:
    """Stop watching. What ended it before (a record that cannot be written) was told by the conductor."""
    watching.cancel()
    await asyncio.wait([watching])
    if not watching.cancelled():
        watching.exception()


async def _let_go(conductor: Conductor, driving: asyncio.Task[object]) -> None:
    """Let the conductor go of the run; a journal that failed was told to whoever listens to the feed."""
    if not driving.done():
        await conductor.close()
    with contextlib.suppress(Exception):
        await driving
