"""Following a run in the shared record: its lines, its tail, and what became of the driver, as a feed.

What always holds: nothing is written; every event is told once, in order, folded as the driver folds it. Lines that
are pushed are taken in at once where they follow; whatever else came is read from the table, which alone is believed
for long: it is compared with what was taken in every few seconds, and after every loss. While the store is lost, what
was known stays, and it is tried for again without end.
"""

from collections.abc import Sequence
from typing import Self

from console.domain.shared import Lease
from console.engine.followed import Followed, Following
from console.engine.holding import by_lease
from console.engine.journal_reader import LastLineGone
from console.engine.store_reader import StoreReader
from console.errors import JournalError, StoreLost
from console.ports import Clock, LogLines, News, ObserverStore, SharedStatus, TailStatus

LOOK = 5.0
"""Seconds between two looks at the lease: nobody is told when a session dies."""

COMPARE = 15.0
"""Seconds between two comparisons with the table."""

PAUSES = (0.5, 1.0, 2.0, 5.0)
"""Seconds before the store is tried again, the last one from then on."""


class StoreFollower(Following):
    """Follows one run from before its first event to its end. Made by `open`; then `catch_up`, then `follow`.

    The store is the follower's alone while it follows; closing it is its owner's to do.
    """

    def __init__(self, store: ObserverStore, run: str, plan_json: str, clock: Clock) -> None:
        super().__init__(Followed(run, plan_json, shared=True))
        self._store = store
        self._name = run
        self._clock = clock
        self._lines = StoreReader(store, run)
        self._lease: Lease | None = None
        self._tail_at = 0
        self._look_at = self._compare_at = clock.monotonic()
        self._listens = False

    @classmethod
    async def open(cls, store: ObserverStore, run: str, clock: Clock) -> Self:
        """Open a run for watching; nothing of its history is read yet. Raises StoreLost, JournalError."""
        return cls(store, run, await store.plan(run), clock)

    async def catch_up(self) -> None:
        """Listen, and take in everything that is there now; a whole history as well.

        Raises StoreLost; JournalBroken with the line that does not follow; JournalError when the record cannot be read,
        or is not the one that was read before. The feed is told first.
        """
        try:
            await self._store.listen(self._name)
            await self._read_tail()
            await self._look()
        except StoreLost as error:
            self._lose(error)
            raise
        except JournalError as error:
            self._run.fails(error)
            raise
        self._listens = True
        self._run.tell(SharedStatus(connected=True))

    async def follow(self) -> None:
        """Tell what comes, as it comes, until the run is over. Raises as `catch_up`, but for StoreLost.

        Who drives is told first, also to those who listen only since the history was read.
        """
        self._run.tell_again()
        attempt = 0
        while not self.over:
            try:
                await (self._next() if self._listens else self.catch_up())
                attempt = 0
            except StoreLost:
                await self._clock.sleep(PAUSES[min(attempt, len(PAUSES) - 1)])
                attempt += 1

    async def _next(self) -> None:
        """Wait for what comes, and take it in. Raises as `catch_up`."""
        try:
            due = min(self._look_at, self._compare_at) - self._clock.monotonic()
            await self._heed(await self._store.wait(max(due, 0.0)))
        except StoreLost as error:
            self._lose(error)
            raise
        except JournalError as error:
            self._run.fails(error)
            raise

    async def _heed(self, news: News) -> None:
        of_driver = await self._take_pushed(news.lines)
        if news.tail:
            await self._read_tail()
        now = self._clock.monotonic()
        if of_driver or news.driver:
            await self._look()
        elif news.more or self._lines.behind or now >= self._compare_at:
            if await self._read():
                await self._look()
        elif now >= self._look_at:
            self._look_at = now + LOOK
            if await self._store.lease(self._name) != self._lease:
                await self._look()

    async def _take_pushed(self, lines: Sequence[tuple[int, bytes]]) -> bool:
        events = self._lines.push(lines)
        try:
            return bool(events) and self._run.take(events)
        except JournalError:
            # The table says whether it is the record that does not fold, or only what was pushed.
            return self._run.take_back(await self._lines.step_back())

    async def _look(self) -> None:
        """Look who drives, then read on: a lease that was free before events came says nothing of who wrote them."""
        while True:
            before = self._lines.seq
            self._lease = await self._store.lease(self._name)
            self._look_at = self._clock.monotonic() + LOOK
            self._run.news.see(by_lease(self._lease))
            await self._read()
            if self._run.news.held or self._lines.seq == before:
                break
        self._run.conclude()

    async def _read(self) -> bool:
        """Read on from the table, to its end; whether an event about a driver came."""
        of_driver = False
        while True:
            try:
                events = await self._lines.read()
            except LastLineGone:
                # It was pushed, and does not stand in the table: what was shown of it is taken back.
                of_driver |= self._run.take_back(await self._lines.step_back())
            else:
                of_driver |= bool(events) and self._run.take(events)
                if not self._lines.behind:
                    self._compare_at = self._clock.monotonic() + COMPARE
                    return of_driver

    async def _read_tail(self) -> None:
        self._tail_at, entries = await self._store.tail(self._name, self._tail_at)
        if entries:
            self.feed.publish(LogLines(entries))

    def _lose(self, error: StoreLost) -> None:
        self._listens = False
        self._run.tell(SharedStatus(connected=False, reason=error.message))
        self._run.tell(TailStatus(connected=False, reason=error.message))
