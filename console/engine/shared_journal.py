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
from console.engine.branching import branch_of, lines_of
from console.engine.epochs import read_held, write_claim, write_foreign, write_held
from console.engine.journal import FileJournal
from console.errors import JournalError, StoreLost, TakenOver
from console.ports import DriverStore, SharedStatus

_log = logging.getLogger(__name__)

PAGE = 2_000
"""Lines that are sent at a time: a server takes them in a fraction of the time that a call may take."""


class SharedJournal:
    """The journal of one run, kept here and in a store. `driver` is who claims epochs; its `epoch` says nothing.

    Made apart from the store; `reach` connects it, the first time and after each loss. `succeeds` is the epoch of
    somebody else that a person has agreed to end, or whose driver left.
    """

    def __init__(self, local: FileJournal, store: DriverStore, driver: Lease, *, succeeds: int = 0) -> None:
        self._local = local
        self._store = store
        self._driver = driver
        self._succeeds = succeeds
        self._epoch = 0
        self._sent = 0
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
        return self._epoch

    @property
    def apart(self) -> str:
        """Why what is recorded reaches nobody else now; empty while it does."""
        return self.taken_over.message if self.taken_over is not None else self._lost

    @property
    def status(self) -> SharedStatus:
        """Whether the store is reached, and how many events wait here for it."""
        unsent = len(self._local.events()) - self._sent
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
            if not (self.apart or self._closed or event.seq <= self._sent):
                await self._trying(lambda: self._send_next(event.seq, line))
        return event

    async def reach(self, *, opening: bool = False) -> bool:
        """Confirm the epoch, or claim the first one, and send what waits; whether the store has everything now.

        A store that cannot be reached, and an epoch that is another's, are told by `apart` and `taken_over`. `opening`:
        nothing was recorded here yet, so what somebody added until the epoch was claimed is taken in first.
        """
        async with self._in_order:
            if self.taken_over is None:
                await self._trying(lambda: self._reach(opening))
        return not self.apart

    async def confirmed(self) -> bool:
        """Whether the shared record has everything, also after one more attempt to reach it."""
        return not self.apart or await self.reach()

    async def still_ours(self) -> bool:
        """Ask the store whether the epoch is still the record's, without sending anything; as `reach` otherwise."""
        async with self._in_order:
            if not self.apart:
                await self._trying(self._hold)
        return not self.apart

    def lose(self, error: JournalError) -> None:
        """Somebody else who speaks with the store has lost it, or was refused."""
        if not self.apart:
            self._lost = error.message
            self.changed.set()

    async def attach_branch(self) -> None:
        """After another driver took over: keep what only stands here beside the shared record. Raises JournalError.

        A record that was set back is sent what it lacks when the run is opened again.
        """
        found = await self._store.find(self.run)
        if self._is_set_back(found.lease if found is not None else None):
            return
        theirs = await self._store.lines(self.run, 0)
        branch = await asyncio.to_thread(branch_of, self.directory, theirs, self._epoch, self._driver.actor)
        if branch is not None:
            await self._store.attach(self.run, branch)

    async def close(self) -> None:
        """Give up the lease and the lock, after one more attempt to send what waits; again is harmless."""
        async with self._in_order:
            if self._lost and self._epoch and self.taken_over is None and not self._closed:
                await self._trying(lambda: self._reach(opening=False))
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

    async def _send(self, first: int, lines: Sequence[bytes]) -> None:
        await self._store.append(self.run, self._epoch, first, lines)
        self._sent = first + len(lines) - 1

    async def _send_next(self, seq: int, line: bytes) -> None:
        """Send the line of this number; those before it that were recorded at the same time go first."""
        if seq == self._sent + 1:
            await self._send(seq, [line])
        else:
            await self._send_missing(self._sent)

    async def _hold(self) -> None:
        try:
            await self._store.hold(self.run, self._epoch)
        except TakenOver:
            found = await self._store.find(self.run)
            lease = found.lease if found is not None else None
            if self._is_set_back(lease):
                raise set_back(lease, self._epoch) from None
            raise

    async def _reach(self, opening: bool) -> None:
        found = await self._store.find(self.run)
        lease = found.lease if found is not None else None
        if self._is_set_back(lease):
            raise set_back(lease, self._epoch)
        if found is None:
            await self._store.create(self.run, await asyncio.to_thread(lambda: self.plan_json))
        if self._epoch:
            await self._store.hold(self.run, self._epoch)
        else:
            self._epoch = await self._claim(lease)
        # Asked only now: the session that an earlier line was sent by has been ended, so no answer is still to come.
        settled = await self._store.find(self.run)
        known = 0 if settled is None else settled.events
        if opening and known > len(self._local.events()):
            await self._local.take_in(await self._store.lines(self.run, len(self._local.events())))
        await self._send_missing(known)

    def _is_set_back(self, lease: Lease | None) -> bool:
        """Whether the shared record knows nothing any more of the epoch that is held here."""
        return self._epoch > (lease.epoch if lease is not None else 0)

    async def _claim(self, lease: Lease | None) -> int:
        held = await asyncio.to_thread(read_held, self.directory)
        if lease is not None and lease.epoch != self._succeeds and not held.covers(lease, self._driver.host):
            raise taken_over(lease)
        expected = lease.epoch if lease is not None else 0
        try:
            await asyncio.to_thread(write_claim, self.directory, held, expected, self._driver)
            epoch = await self._store.claim(self.run, self._driver, expected=expected)
            await asyncio.to_thread(write_held, self.directory, epoch)
        except OSError as error:
            raise StoreLost(f"The epoch cannot be noted in {self.directory}: {error.strerror}.") from error
        return epoch

    async def _send_missing(self, known: int) -> None:
        """Send what the store lacks, until nothing waits any more; its last line once more, so that a difference is
        seen. Only what is durable here is sent."""
        there = len(self._local.events())
        if known > there:
            raise JournalError(
                f"The shared record has {known} events, and here are {there} of them.",
                remedy="Start the console again: it takes over what is missing here.",
            )
        first = max(known, 1)
        while first <= there:
            lines = await asyncio.to_thread(lines_of, self.directory, first - 1)
            for begin in range(first, there + 1, PAGE):
                await self._send(begin, lines[begin - first : min(begin + PAGE, there + 1) - first])
            first, there = there + 1, len(self._local.events())


def taken_over(lease: Lease) -> TakenOver:
    """That the epoch is another driver's now."""
    return TakenOver(
        f"{lease.actor} took this run over (from {lease.host}, {lease.since:%Y-%m-%d %H:%M:%S} UTC).",
        epoch=lease.epoch,
        driver=lease.actor,
        production="Nothing more is begun from here; what ran comes to its next safe point and is looked for by them.",
        remedy="Watch the run; what was recorded here since then is kept beside it.",
    )


def set_back(lease: Lease | None, ours: int) -> TakenOver:
    """That the shared record knows nothing of the epoch that was held: it was restored from a copy, or is another one.

    Epochs of it may be given out anew, so nothing that was confirmed under ours holds any more.
    """
    known = f"the last that it knows is {lease.epoch}, of {lease.actor}" if lease is not None else "it knows none"
    return TakenOver(
        f"The shared record was set back, or is another one: epoch {ours} was ours, and {known}.",
        epoch=lease.epoch if lease is not None else 0,
        driver=lease.actor if lease is not None else "",
        production="Nothing more is begun from here; what ran comes to its next safe point. All is recorded here.",
        remedy="Make sure that nobody else drives, then start the console again: it sends what the record has lost.",
    )
