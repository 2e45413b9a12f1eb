"""Following a run that somebody else drives: its journal, its tail, and what became of the driver, as a feed.

What always holds: nothing is written, created or locked in the run's folder, and every event is told once, in
order, folded as the driver folds it. (Asking who drives takes their lock for an instant; see `engine.driver`.)

The files are looked at every tenth of a second, on the event loop: a look at an idle run is two `stat`s, some
twenty microseconds, and what came is read in blocks of some hundredths of a second. That needs no thread, no
library, and works on every file system, also where changes are not announced.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from console.domain.events import Event
from console.engine.followed import Followed, Following
from console.engine.holding import by_lock
from console.engine.journal import JOURNAL_FILE, read_plan
from console.engine.journal_reader import JournalReader, LastLineGone, NotSkimmed
from console.engine.tail import TAIL_FILE
from console.engine.tail_reader import TailReader
from console.errors import JournalBroken, JournalError
from console.ports import Clock, LogLines, TailStatus

POLL = 0.1
"""Seconds between two looks at the files."""

LOOK = 1.0
"""Seconds between two looks at the driver's lock, as long as the journal does not speak of a driver."""


class JournalFollower(Following):
    """Follows one run from before its first event to its end. Made by `open`; then `catch_up`, then `follow`."""

    def __init__(self, directory: Path, plan_json: str, clock: Clock) -> None:
        super().__init__(Followed(directory.name, plan_json))
        self._directory = directory
        self._clock = clock
        self._journal = JournalReader(directory / JOURNAL_FILE)
        self._tail = TailReader(directory / TAIL_FILE)
        self._look_at = clock.monotonic()

    @classmethod
    def open(cls, directory: Path, clock: Clock) -> Self:
        """Open the run in `directory` for watching; nothing of its history is read yet. Raises JournalError."""
        return cls(directory, read_plan(directory), clock)

    def catch_up(self) -> None:
        """Take in everything that is there now; a whole history as well. Raises as `poll`."""
        while self.poll():
            pass
        self.poll()

    def leap(self) -> None:
        """As `catch_up`, several times as fast: a long history's lines are held together by `follow`, before all else.

        Nothing may have been read before. What lies behind is told by its state, not event by event.
        """
        try:
            if self._journal.long:
                self._run.take_whole(self._journal.skim())
        except (NotSkimmed, JournalError):
            # To be read as if there had been no leap: that says what is wrong, or finds that nothing is.
            self._journal = JournalReader(self._directory / JOURNAL_FILE)
        self.catch_up()

    async def follow(self) -> None:
        """Tell what comes, as it comes, until the run is over. Raises as `poll`.

        Who drives is told first, also to those who listen only since the history was read.
        """
        self._run.tell_again()
        await self._check()
        while not self.over:
            await self._clock.sleep(0.0 if self.poll() else POLL)

    def poll(self) -> bool:
        """Take in what came, a block at most, and tell the feed of it; whether more is there already.

        Raises JournalBroken with the line that does not follow, JournalError when the record cannot be read, or is not
        the one that was read before; the feed is told first.
        """
        try:
            looked = self._look()
            events = self._read()
        except JournalError as error:
            self._run.fails(error)
            raise
        lines = self._tail.read()
        if lines:
            self.feed.publish(LogLines(lines))
        behind = self._journal.behind
        if looked and not behind:
            if self._run.news.held or not events:
                self._run.conclude(self._tail.trouble)
            else:
                # A lock that was free before these events came says nothing of who wrote them.
                self._look_at = self._clock.monotonic()
        return behind

    def _look(self) -> bool:
        """Look at the lock when it is time to; whether that was done."""
        now = self._clock.monotonic()
        if now < self._look_at:
            return False
        self._look_at = now + LOOK
        self._run.news.see(by_lock(self._directory))
        return True

    async def _check(self) -> None:
        """Hold together what was only skimmed; where it does not hold, what was told behind that is taken back."""
        check = self._journal.check()
        if check is None:
            return
        self.feed.publish(TailStatus(connected=False, reason=f"the record's {check.lines:,} lines are being checked"))
        try:
            while check.go_on():
                await self._clock.sleep(0.0)
        except JournalError as error:
            if isinstance(error, JournalBroken):
                self._run.take_back(check.what_holds())
            self._run.tell_again()
            self._run.fails(error)
            raise
        self._run.tell_again()

    def _read(self) -> Sequence[Event]:
        try:
            events = self._journal.read()
        except LastLineGone:
            # The driver's disk refused to keep it: what was shown of it is taken back.
            self._heed(self._run.take_back(self._journal.step_back()))
            events = self._journal.read()
        if events:
            self._heed(self._run.take(events))
        return events

    def _heed(self, of_driver: bool) -> None:
        """Look at the lock at once when the journal spoke of a driver."""
        if of_driver:
            self._look_at = self._clock.monotonic()
