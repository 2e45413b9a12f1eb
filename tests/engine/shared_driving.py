"""Driving a run whose record is shared, in a test: consoles on machines of their own over one store in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from console.domain.plan import Plan
from console.domain.wire import encode_plan
from console.engine.branching import lines_of
from console.engine.driver import Driver
from console.engine.keeper import Keeper
from console.engine.shared_journal import SharedJournal
from console.engine.shared_opening import create_shared, open_shared
from tests.engine.shared_store import MemoryDriver, Record
from tests.engine.world import Console, FakeWorld, console_over

RUN = "20260204-200000-test"


def driver(name: str, pid: int = 1) -> Driver:
    """Somebody at a machine of their own."""
    return Driver(f"{name}@{name}-laptop", f"{name}-laptop", pid, "2026-02-04T20:00:00.000Z")


@dataclass
class Machine:
    """A console on a machine: its folder, its line to the store, what it drives."""

    console: Console[SharedJournal]
    store: MemoryDriver
    driving: "asyncio.Task[object]"
    keeping: "asyncio.Task[None]"

    @property
    def journal(self) -> SharedJournal:
        """Its journal."""
        return self.console.journal

    @property
    def lines(self) -> list[bytes]:
        """The lines of its file."""
        return lines_of(self.journal.directory)


async def opened(
    folder: Path, record: Record, name: str, plan: Plan, *, pid: int = 1, taking_over: int | None = None
) -> tuple[SharedJournal, MemoryDriver]:
    """Open the run on a machine, or begin it."""
    store, who, place = MemoryDriver(record, name=name), driver(name, pid), folder / name / RUN
    if place.exists() or RUN in record.kept:
        return await open_shared(place, store, who, taking_over=taking_over), store
    return await create_shared(place, encode_plan(plan), store, who), store


def begin(journal: SharedJournal, store: MemoryDriver, world: FakeWorld, plan: Plan) -> Machine:
    """Let a console drive what was opened."""
    console = console_over(plan, journal, world)
    keeper = Keeper(journal, store, console.conductor, console.feed, console.clock)
    driving: asyncio.Task[object] = asyncio.create_task(console.conductor.run())
    return Machine(console, store, driving, asyncio.create_task(keeper.run()))


async def end(machine: Machine) -> None:
    """Let go of the run in order."""
    await machine.console.conductor.close()
    await kill(machine)


async def kill(machine: Machine) -> None:
    """End a console where it stands, as a kill does: the locks go, nothing is said."""
    for task in (machine.driving, machine.keeping):
        task.cancel()
    await asyncio.gather(machine.driving, machine.keeping, return_exceptions=True)
    await machine.journal.close()


@asynccontextmanager
async def machine(
    folder: Path,
    record: Record,
    name: str,
    plan: Plan,
    world: FakeWorld,
    *,
    pid: int = 1,
    taking_over: int | None = None,
) -> AsyncIterator[Machine]:
    """A console on a machine that drives the run; let go of on the way out."""
    journal, store = await opened(folder, record, name, plan, pid=pid, taking_over=taking_over)
    there = begin(journal, store, world, plan)
    try:
        yield there
    finally:
        await end(there)
