"""The store's side of a shared journal: the epoch that is held there, and how many of the file's lines it has.

What always holds: lines are sent in order, each once as far as the store's answers tell, and only under the epoch that
is held; what is sent stands in the file here first.
"""

import asyncio
from collections.abc import Sequence

from console.domain.shared import Lease
from console.engine.branching import branch_of, lines_of
from console.engine.epochs import read_held, write_claim, write_held
from console.engine.journal import FileJournal
from console.errors import JournalError, StoreLost, TakenOver
from console.ports import DriverStore

PAGE = 2_000
"""Lines that are sent at a time: a server takes them in a fraction of the time that a call may take."""


class StoreSide:
    """One run in the store, as its driver keeps it. Every call raises StoreLost, TakenOver or another JournalError.

    `driver` is who claims epochs; its `epoch` says nothing. `succeeds` is the epoch of somebody else that a person has
    agreed to end, or whose driver left.
    """

    def __init__(self, local: FileJournal, store: DriverStore, driver: Lease, succeeds: int) -> None:
        self._local = local
        self._store = store
        self._driver = driver
        self._succeeds = succeeds
        self.epoch = 0
        """The epoch that is held; 0 while none was."""
        self.sent = 0
        """How many lines the store has."""

    async def send_next(self, seq: int, line: bytes) -> None:
        """Send the line of this number; those before it that were recorded at the same time go first."""
        if seq == self.sent + 1:
            await self._send(seq, [line])
        else:
            await self._send_missing(self.sent)

    async def _send(self, first: int, lines: Sequence[bytes]) -> None:
        await self._store.append(self._local.run, self.epoch, first, lines)
        self.sent = first + len(lines) - 1

    async def hold(self) -> None:
        """Confirm that the epoch is still the record's."""
        try:
            await self._store.hold(self._local.run, self.epoch)
        except TakenOver:
            found = await self._store.find(self._local.run)
            lease = found.lease if found is not None else None
            if self._is_set_back(lease):
                raise set_back(lease, self.epoch) from None
            raise

    async def reach(self, *, opening: bool) -> None:
        """Confirm the epoch, or claim the first one; send what the store lacks. `opening`: as in `SharedJournal`."""
        found = await self._store.find(self._local.run)
        lease = found.lease if found is not None else None
        if self._is_set_back(lease):
            raise set_back(lease, self.epoch)
        if found is None:
            await self._store.create(self._local.run, await asyncio.to_thread(lambda: self._local.plan_json))
        if self.epoch:
            await self._store.hold(self._local.run, self.epoch)
        else:
            self.epoch = await self._claim(lease)
        # Asked only now: the session that an earlier line was sent by has been ended, so no answer is still to come.
        settled = await self._store.find(self._local.run)
        known = 0 if settled is None else settled.events
        if opening and known > len(self._local.events()):
            await self._local.take_in(await self._store.lines(self._local.run, len(self._local.events())))
        await self._send_missing(known)

    async def attach_branch(self) -> None:
        """After another driver took over: keep what only stands here beside the shared record. Raises JournalError.

        A record that was set back is sent what it lacks when the run is opened again.
        """
        found = await self._store.find(self._local.run)
        if self._is_set_back(found.lease if found is not None else None):
            return
        theirs = await self._store.lines(self._local.run, 0)
        branch = await asyncio.to_thread(branch_of, self._local.directory, theirs, self.epoch, self._driver.actor)
        if branch is not None:
            await self._store.attach(self._local.run, branch)

    async def _claim(self, lease: Lease | None) -> int:
        held = await asyncio.to_thread(read_held, self._local.directory)
        if lease is not None and lease.epoch != self._succeeds and not held.covers(lease, self._driver.host):
            raise taken_over(lease)
        expected = lease.epoch if lease is not None else 0
        try:
            await asyncio.to_thread(write_claim, self._local.directory, held, expected, self._driver)
            epoch = await self._store.claim(self._local.run, self._driver, expected=expected)
            await asyncio.to_thread(write_held, self._local.directory, epoch)
        except OSError as error:
            raise StoreLost(f"The epoch cannot be noted in {self._local.directory}: {error.strerror}.") from error
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
            lines = await asyncio.to_thread(lines_of, self._local.directory, first - 1)
            for begin in range(first, there + 1, PAGE):
                await self._send(begin, lines[begin - first : min(begin + PAGE, there + 1) - first])
            first, there = there + 1, len(self._local.events())

    def _is_set_back(self, lease: Lease | None) -> bool:
        """Whether the shared record knows nothing any more of the epoch that is held here."""
        return self.epoch > (lease.epoch if lease is not None else 0)


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
