"""The tail of a run in a shared record: the log lines of the feed, sent in batches behind the run's back.

Telemetry, not record: nothing waits for it. While the store is lost lines are left out of it, the last ones kept back
for its return; they are in the tail here.
"""

from collections import deque
from collections.abc import Sequence

from console.domain.hosting import LogEntry
from console.engine.feed import RunFeed
from console.engine.shared_journal import SharedJournal
from console.errors import JournalError
from console.ports import Clock, DriverStore, LogLines, Update

EVERY = 0.25
"""Seconds between two batches."""

BATCH = 2_000
"""Lines that are sent at a time, and kept back at most: what comes faster than that is shown here only."""


class StoreTail:
    """Sends the log lines that the feed tells of. Made before they come; `run` does the sending."""

    def __init__(self, journal: SharedJournal, store: DriverStore, feed: RunFeed, clock: Clock) -> None:
        self._journal = journal
        self._store = store
        self._clock = clock
        self._pending: deque[LogEntry] = deque(maxlen=BATCH)
        self._unsubscribe = feed.subscribe(self._hear)
        self.left_out = 0
        """Lines that observers of the shared record were not shown."""

    async def run(self) -> None:
        """Send what comes until cancelled."""
        try:
            while True:
                await self._clock.sleep(EVERY)
                await self.flush()
        finally:
            self._unsubscribe()

    async def flush(self) -> None:
        """Send what waits, if the store is reached."""
        if not self._pending or self._journal.apart:
            return
        entries = tuple(self._pending)
        self._pending.clear()
        try:
            await self._store.add_tail(self._journal.run, self._journal.epoch, entries)
        except JournalError as error:
            self._journal.lose(error)
            self._put_back(entries)

    def _hear(self, update: Update) -> None:
        if isinstance(update, LogLines):
            self._add(update.entries)

    def _add(self, entries: Sequence[LogEntry]) -> None:
        self.left_out += max(0, len(self._pending) + len(entries) - BATCH)
        self._pending.extend(entries)

    def _put_back(self, entries: Sequence[LogEntry]) -> None:
        newer = tuple(self._pending)
        self._pending.clear()
        self._add((*entries, *newer))
