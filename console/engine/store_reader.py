"""Reading a journal in the shared record: every line once, in order, each held against the one before.

Lines that are pushed are taken where they follow; the table alone is believed for long. A read begins with the last
line that was taken, which must stand in the table as it was taken. One that was only pushed may be taken back; whatever
was read in the table and is no longer as it was read is an error.
"""

from collections.abc import Sequence

from console.domain.events import Event
from console.domain.wire import GENESIS, line_digest
from console.engine.chain import Linked, link_lines
from console.engine.journal_reader import LastLineGone
from console.errors import JournalError
from console.ports import ObserverStore

PAGE = 2000
"""Lines that are read at a time: about a megabyte, a few hundredths of a second to read and fold."""


class StoreReader:
    """A place in a journal of the store. `seq` is the number of the last event that was taken; `behind`: whether more
    is there to be read at once."""

    def __init__(self, store: ObserverStore, run: str, *, page: int = PAGE) -> None:
        self._store = store
        self._run = run
        self._page = page
        self._tip = GENESIS
        self._sure = (0, GENESIS)
        self._believes = True
        self.seq = 0
        self.behind = True

    async def read(self) -> Sequence[Event]:
        """The next events, a page at most; none when nothing was added.

        Raises LastLineGone (then `step_back` is to be called), JournalBroken, StoreLost. Lines before one that is
        broken are returned first.
        """
        lines = await self._store.lines(self._run, max(self.seq - 1, 0), self._page)
        if self.seq and (not lines or line_digest(lines[0]) != self._tip):
            raise LastLineGone
        linked = self._take(lines[1:] if self.seq else lines)
        self._sure = (self.seq, self._tip)
        self.behind = linked.broken is not None or len(lines) == self._page
        if linked.broken is not None and not linked.events:
            raise linked.broken
        return linked.events

    def push(self, lines: Sequence[tuple[int, bytes]]) -> Sequence[Event]:
        """The events of pushed lines, numbered, as far as they follow; where they do not, it is `behind`."""
        fresh = [(number, line) for number, line in lines if number > self.seq]
        if not fresh:
            return ()
        if not self._believes or [number for number, _ in fresh] != list(range(self.seq + 1, fresh[-1][0] + 1)):
            self.behind = True
            return ()
        linked = self._take([line for _, line in fresh])
        # What really stands behind them is for the table to say.
        self.behind = self.behind or linked.broken is not None
        return linked.events

    async def step_back(self) -> Sequence[Event]:
        """Stand behind the last line that was read in the table, and believe no push any more.

        The events up to there, read anew. Raises JournalError when what was read there before does not stand there any
        more, JournalBroken, StoreLost.
        """
        self._believes = False
        seq, tip = self._sure
        anew = StoreReader(self._store, self._run)
        events: list[Event] = []
        while anew.seq < seq:
            lines = await self._store.lines(self._run, anew.seq, min(self._page, seq - anew.seq))
            linked = anew._take(lines)
            if linked.broken is not None:
                raise linked.broken
            if not lines:
                raise self._changed()
            events += linked.events
        if anew._tip != tip:
            raise self._changed()
        self.seq, self._tip, self.behind = seq, tip, True
        return events

    def _take(self, lines: Sequence[bytes]) -> Linked:
        linked = link_lines(lines, self.seq + 1, self._tip)
        self._tip = linked.tip
        self.seq += len(linked.events)
        return linked

    def _changed(self) -> JournalError:
        return JournalError(
            f"The shared record of {self._run} is no longer the one that was read: its lines were changed.",
            production="Nothing was changed from here: this console only reads.",
            remedy="Compare it with the driver's own copy; what was shown until now is what it said.",
        )
