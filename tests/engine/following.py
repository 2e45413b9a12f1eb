"""Following a run in a test: what a follower was told, runs on real files, and drivers in processes of their own."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from console.domain.events import Draft, Event, Kind
from console.domain.plan import Plan
from console.domain.wire import GENESIS, encode_event, encode_plan, line_digest, plan_digest
from console.engine.driver import Driver
from console.engine.follow import JournalFollower
from console.engine.journal import FileJournal
from console.ports import DriverStatus, LogLines, StateChanged, Update
from tests.domain.plans import release_plan
from tests.engine.world import FakeClock

PLAN = release_plan()
ME = Driver.here("ops@laptop")
AT = datetime(2026, 2, 4, 20, 14, 3, 118000, UTC)
RUN = "20260204-201403-a1b2"
CREATED = Draft(Kind.RUN_CREATED, data={"plan": {"name": PLAN.name, "digest": plan_digest(PLAN)}})


@dataclass
class Told:
    """Everything that a follower told, in order."""

    updates: list[Update] = field(default_factory=list)

    @property
    def events(self) -> list[Event]:
        return [event for each in self.updates if isinstance(each, StateChanged) for event in each.events]

    @property
    def lines(self) -> list[str]:
        return [entry.text for each in self.updates if isinstance(each, LogLines) for entry in each.entries]

    @property
    def drivers(self) -> list[DriverStatus]:
        return [each for each in self.updates if isinstance(each, DriverStatus)]


def watched(directory: Path) -> tuple[JournalFollower, Told]:
    """A follower of the run in a folder, which has read nothing yet, and what it will tell."""
    follower, told = JournalFollower.open(directory, FakeClock()), Told()
    follower.feed.subscribe(told.updates.append)
    return follower, told


def create(root: Path, *, plan: Plan = PLAN, write: Callable[[int, bytes], int] | None = None) -> FileJournal:
    """The journal of a new run, driven here."""
    folder = root / RUN
    if write is None:
        return FileJournal.create(folder, RUN, encode_plan(plan), ME)
    return FileJournal.create(folder, RUN, encode_plan(plan), ME, write=write)


async def note(journal: FileJournal, *texts: str) -> None:
    """Append notes."""
    for text in texts:
        await journal.append(Draft(Kind.NOTE_ADDED, data={"text": text}), at=AT, actor="ops@laptop")


async def begun(root: Path, *texts: str) -> FileJournal:
    """A run that was created, with some notes."""
    journal = create(root)
    await journal.append(CREATED, at=AT, actor="ops@laptop")
    await note(journal, *texts)
    return journal


def notes(*texts: str) -> list[Event]:
    """Notes as the events of a journal, from the second on."""
    return [
        Event(number, AT, RUN, "ops@laptop", Kind.NOTE_ADDED, data={"text": text})
        for number, text in enumerate(texts, start=2)
    ]


def chained(events: list[Event]) -> list[bytes]:
    """Events as the lines of a journal, each bound to the one before."""
    tip, lines = GENESIS, []
    for event in events:
        line = encode_event(event, tip)
        tip = line_digest(line)
        lines.append(line + b"\n")
    return lines


class Hooked:
    """A journal on disk that calls `after` behind every event; otherwise itself."""

    def __init__(self, inner: FileJournal, after: Callable[[], None]) -> None:
        self._inner = inner
        self._after = after

    @property
    def run(self) -> str:
        return self._inner.run

    @property
    def directory(self) -> Path:
        return self._inner.directory

    async def append(self, draft: Draft, *, at: datetime, actor: str) -> Event:
        event = await self._inner.append(draft, at=at, actor=actor)
        self._after()
        return event

    def events(self) -> Sequence[Event]:
        return self._inner.events()

    @property
    def apart(self) -> str:
        return self._inner.apart

    async def confirmed(self) -> bool:
        return await self._inner.confirmed()

    async def close(self) -> None:
        await self._inner.close()


DRIVE = """
import asyncio, os, sys
from datetime import UTC, datetime
from pathlib import Path
from console.domain.events import Draft, Kind
from console.engine.driver import Driver
from console.engine.journal import FileJournal

async def main():
    actor, me = sys.argv[2], Driver.here(sys.argv[2])
    journal = FileJournal.open(Path(sys.argv[1]), me)
    print("locked", flush=True)
    async def say(kind, **data):
        await journal.append(Draft(kind, data=data), at=datetime.now(UTC), actor=actor)
        print(kind, flush=True)
    for line in sys.stdin:
        match line.split():
            case ["join"]:
                await say(Kind.DRIVER_JOINED, actor=actor, host=me.host, pid=me.pid)
            case ["note"]:
                await say(Kind.NOTE_ADDED, text="a note")
            case ["finish"]:
                await say(Kind.RUN_FINISHED, outcome="completed", reason="", production="It runs.")
            case ["leave"]:
                await say(Kind.DRIVER_LEFT, reason="the console was closed")

asyncio.run(main())
"""


class OtherDriver:
    """A driver in a process of its own, which does what it is told."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    async def does(self, *orders: str) -> None:
        assert self.process.stdin is not None
        for order in orders:
            self.process.stdin.write(order.encode() + b"\n")
            await self.said()

    async def said(self) -> None:
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            assert await self.process.stdout.readline()

    async def ends(self, *, killed: bool = False) -> None:
        if killed and self.process.returncode is None:
            self.process.kill()
        assert self.process.stdin is not None
        self.process.stdin.close()
        await self.process.wait()


@asynccontextmanager
async def other_driver(directory: Path, actor: str) -> AsyncIterator[OtherDriver]:
    """Take a run up in another process, which has the lock when this is entered."""
    arguments = (sys.executable, "-c", DRIVE, str(directory), actor)
    process = await asyncio.create_subprocess_exec(*arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    driver = OtherDriver(process)
    try:
        await driver.said()
        yield driver
    finally:
        await driver.ends(killed=True)
