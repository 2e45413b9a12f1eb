"""The journal of a run that is shared between machines: the file here first, then the store, line by line.

What always holds: what `append` returned is on the disk here. While the store is reached it is in the store too; while
it is not, `apart` says why, nothing waits for the store, and everything that was recorded is sent, in order and once,
when it is reached again under the same epoch. Once another driver has begun an epoch nothing is sent any more: what is
recorded then stays here, a branch.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path

from console.domain.events import Draft, Event
from console.domain.shared import Lease
from console.engine.epochs import read_held, write_foreign
from console.engine.journal import FileJournal
from console.engine.store_side import StoreSide
from console.errors import JournalError, TakenOver
from console.ports import DriverStore, SharedStatus

_log = logging.getLogger(__name__)


class SharedJournal:
    """The journal of one run, kept here and in a store. `driver` is who claims epochs; its `epoch` says nothing.

    Made apart from the store; `reach` connects it, the first time and after each loss. `succeeds` is the epoch of
    somebody else that a person has agreed to end, or whose driver left.
    """

    def __init__(self, local: FileJournal, store: DriverStore, driver: Lease, *, succeeds: int = 0) -> None:
        self._local = local
        self._store = store
        self._side = StoreSide(local, store, driver, succeeds)
        self._lost = "it was not reached yet"
        self._closed = False
        self._writing = asyncio.Lock()
        self._in_order = asyncio.Lock()
        self.taken_over: TakenOver | None = None
        self.gives_way: Callable[[TakenOver], None] = lambda _: None
        """Called in the moment in which `taken_over` comes to be known."""
        self.changed = asyncio.Event()
        """Set whenever `status` is another one; for one who waits for it, and clears it."""

    @property
    def run(self) -> str:
        """The run's id."""
        return self._local.run

    @property
    def directory(self) -> Path:
        """The run's folder here."""
        return self._local.directory

    @property
    def torn(self) -> int:
        """How many bytes of a torn last line were cut off when the journal was opened."""
        return self._local.torn

    @property
    def plan_json(self) -> str:
        """The frozen plan. Raises JournalError when it is gone."""
        return self._local.plan_json

    @property
    def epoch(self) -> int:
        """The epoch that is held; 0 while none was."""
        return self._side.epoch

    @property
    def apart(self) -> str:
        """Why what is recorded reaches nobody else now; empty while it does."""
        return self.taken_over.message if self.taken_over is not None else self._lost

    @property
    def status(self) -> SharedStatus:
        """Whether the store is reached, and how many events wait here for it."""
        unsent = len(self._local.events()) - self._side.sent
        return SharedStatus(not self.apart, self.apart, unsent if self.apart else 0)

    def events(self) -> Sequence[Event]:
        """All events so far, oldest first."""
        return self._local.events()

    async def append(self, draft: Draft, *, at: datetime, actor: str) -> Event:
        """Write one event here, then into the store; returns when it is durable here and the store has answered or is
        lost. Raises JournalError when the disk refuses; then nothing was written."""
        return await asyncio.shield(asyncio.ensure_future(self._append(draft, at, actor)))

    async def _append(self, draft: Draft, at: datetime, actor: str) -> Event:
        async with self._writing:
            event = await self._local.append(draft, at=at, actor=actor)
            line = self._local.last_line
        if self.apart:
            self.changed.set()  # whoever reaches for the store sends it; that may take its time
            return event
        async with self._in_order:
            if not (self.apart or self._closed or event.seq <= self._side.sent):
                await self._trying(lambda: self._side.send_next(event.seq, line))
        return event

    async def reach(self, *, opening: bool = False) -> bool:
        """Confirm the epoch, or claim the first one, and send what waits; whether the store has everything now.

        A store that cannot be reached, and an epoch that is another's, are told by `apart` and `taken_over`. `opening`:
        nothing was recorded here yet, so what somebody added until the epoch was claimed is taken in first.
        """
        async with self._in_order:
            if self.taken_over is None:
                await self._trying(lambda: self._side.reach(opening=opening))
        return not self.apart

    async def confirmed(self) -> bool:
        """Whether the shared record has everything, also after one more attempt to reach it."""
        return not self.apart or await self.reach()

    async def still_ours(self) -> bool:
        """Ask the store whether the epoch is still the record's, without sending anything; as `reach` otherwise."""
        async with self._in_order:
            if not self.apart:
                await self._trying(self._side.hold)
        return not self.apart

    def lose(self, error: JournalError) -> None:
        """Somebody else who speaks with the store has lost it, or was refused."""
        if not self.apart:
            self._lost = error.message
            self.changed.set()

    async def attach_branch(self) -> None:
        """After another driver took over: keep what only stands here beside the shared record. Raises JournalError."""
        await self._side.attach_branch()

    async def close(self) -> None:
        """Give up the lease and the lock, after one more attempt to send what waits; again is harmless."""
        async with self._in_order:
            if self._lost and self._side.epoch and self.taken_over is None and not self._closed:
                await self._trying(lambda: self._side.reach(opening=False))
            self._closed = True
            await self._store.close()
            await self._local.close()

    async def _trying(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something with the store, and note whether it was reached."""
        try:
            await work()
        except TakenOver as error:
            self.taken_over = error
            self.gives_way(error)
            with contextlib.suppress(OSError):  # the store says it again when the run is opened the next time
                await asyncio.to_thread(lambda: write_foreign(self.directory, read_held(self.directory)))
        except JournalError as error:
            self._lost = error.message
        except Exception as error:
            # What was recorded stands here, and its caller has to know that: a defect costs the store, never the run.
            _log.exception("speaking with the shared record ended with a defect")
            self._lost = f"The shared record is not reached, by a defect of the console ({type(error).__name__})."
        else:
            if not self._lost:
                return
            self._lost = ""
        self.changed.set()
