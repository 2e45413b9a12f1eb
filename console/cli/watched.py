"""A run that is watched, wherever its record lies: in a folder of this machine, or in the shared record.

What always holds: nothing is written anywhere. There is no conductor here, no action and nothing that could change the
world; of a shared record only what its observers may read.
"""

import asyncio
import contextlib
import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from console.domain.events import Event
from console.domain.state import RunState
from console.engine.clock import WallClock
from console.engine.feed import RunFeed
from console.engine.follow import JournalFollower
from console.engine.uncollected import uncollected
from console.errors import StoreLost
from console.ports import DriverStatus, ObserverStore


class Follower(Protocol):
    """What follows a run from before its first event to its end."""

    feed: RunFeed

    @property
    def state(self) -> RunState:
        """The state as far as the record was read."""

    @property
    def driver(self) -> DriverStatus:
        """Who drives, or how the last driver ended."""

    @property
    def over(self) -> bool:
        """Whether the run is finished and nothing more will be written."""

    async def follow(self) -> None:
        """Tell what comes until the run is over. Raises JournalError."""


class Watched(Protocol):
    """A run that can be watched."""

    @property
    def run(self) -> str:
        """Its id."""

    @property
    def place(self) -> str:
        """Where its record lies, for a person."""

    @property
    def doubt(self) -> str:
        """Why it may have gone on where it is not seen from here; empty when there is no reason to think so."""

    async def follower(self) -> Follower:
        """Begin to follow it; nothing of its history is read yet. Raises JournalError."""

    async def read(self) -> Follower:
        """The same with its whole history, and everything loaded that showing it needs. Raises JournalError."""

    async def record(self) -> tuple[str, Sequence[Event]]:
        """Its frozen plan as text and every event until now, read anew. Raises JournalError."""


Finding = Callable[[Callable[[str], None]], contextlib.AbstractAsyncContextManager[Watched]]
"""Finds the run that is to be watched, for as long as it is; given what says what is being done meanwhile."""


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A run in a folder of this machine."""

    folder: Path
    doubt: str = ""

    @property
    def run(self) -> str:
        """Its id."""
        return self.folder.name

    @property
    def place(self) -> str:
        """Its folder."""
        return str(self.folder)

    async def follower(self) -> Follower:
        """Follow its files."""
        return JournalFollower.open(self.folder, WallClock())

    async def read(self) -> Follower:
        """Follow its files once they are read."""
        return await asyncio.to_thread(self._read)

    async def record(self) -> tuple[str, Sequence[Event]]:
        """Read its files."""
        from console.engine.journal import read

        kept = await asyncio.to_thread(read, self.folder)
        return kept.plan_json, kept.events

    def _read(self) -> Follower:
        import screens.showing  # noqa: F401

        follower = JournalFollower.open(self.folder, WallClock())
        with uncollected():
            follower.leap()
        gc.freeze()  # what was read stays: it need not be looked through again whenever garbage is collected
        return follower


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run in the shared record; the store stays its owner's to close."""

    store: ObserverStore
    run: str
    place: str = "the shared record"
    doubt: str = ""

    async def follower(self) -> Follower:
        """Follow its lines."""
        from console.engine.follow_store import StoreFollower

        return await StoreFollower.open(self.store, self.run, WallClock())

    async def read(self) -> Follower:
        """Follow its lines once those that are there are read, as far as the store is reached."""
        from console.engine.follow_store import StoreFollower

        await asyncio.to_thread(_load_screens)
        follower = await StoreFollower.open(self.store, self.run, WallClock())
        with contextlib.suppress(StoreLost):  # told to the feed already; whoever follows tries again
            await follower.catch_up()
        return follower

    async def record(self) -> tuple[str, Sequence[Event]]:
        """Read its lines."""
        from console.engine.store_reader import StoreReader

        reader, events = StoreReader(self.store, self.run), list[Event]()
        while reader.behind:
            events += await reader.read()
        return await self.store.plan(self.run), events


def _load_screens() -> None:
    import screens.showing  # noqa: F401
