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
from console.domain.fold import fold_on, initial
from console.domain.state import RunState, RunStatus
from console.domain.wire import WireError, decode_plan
from console.engine.driver_news import DriverNews
from console.engine.feed import RunFeed
from console.engine.journal import JOURNAL_FILE, read_plan
from console.engine.journal_reader import JournalReader, LastLineGone
from console.engine.runs import plan_problem
from console.engine.tail import TAIL_FILE
from console.engine.tail_reader import TailReader
from console.errors import JournalError
from console.ports import Clock, DriverStatus, Driving, JournalFailed, LogLines, StateChanged, TailStatus, Update

POLL = 0.1
"""Seconds between two looks at the files."""

LOOK = 1.0
"""Seconds between two looks at the driver's lock, as long as the journal does not speak of a driver."""


class JournalFollower:
    """Follows one run from before its first event to its end. Made by `open`; then `catch_up`, then `follow`."""

    def __init__(self, directory: Path, plan_json: str, clock: Clock) -> None:
        self._plan_json = plan_json
        self._plan = decode_plan(plan_json)
        self._clock = clock
        self._journal = JournalReader(directory / JOURNAL_FILE)
        self._tail = TailReader(directory / TAIL_FILE)
        self._driver = DriverNews(directory)
        self._look_at = clock.monotonic()
        self._told: dict[type[Update], Update] = {}
        self._status = self._driver.status()
        self._over = False
        self.feed = RunFeed(initial(self._plan))

    @classmethod
    def open(cls, directory: Path, clock: Clock) -> Self:
        """Open the run in `directory` for watching; nothing of its history is read yet. Raises JournalError."""
        plan_json = read_plan(directory)
        try:
            return cls(directory, plan_json, clock)
        except WireError as error:
            raise JournalError(f"The frozen plan of {directory.name} cannot be read: {error}.") from error

    @property
    def state(self) -> RunState:
        """The state as far as the journal was read."""
        return self.feed.state

    @property
    def driver(self) -> DriverStatus:
        """Who drives, or how the last driver ended, as it was told last."""
        return self._status

    @property
    def over(self) -> bool:
        """Whether the run is finished and nothing more will be written: its driver left, or died behind its end."""
        return self._over

    def catch_up(self) -> None:
        """Take in everything that is there now; a whole history as well. Raises as `poll`."""
        while self.poll():
            pass
        self.poll()

    async def follow(self) -> None:
        """Tell what comes, as it comes, until the run is over. Raises as `poll`.

        Who drives is told first, also to those who listen only since the history was read.
        """
        for known in tuple(self._told.values()):
            self.feed.publish(known)
        while not self._over:
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
            self._tell(JournalFailed(error.message, error.remedy))
            raise
        lines = self._tail.read()
        if lines:
            self.feed.publish(LogLines(lines))
        behind = self._journal.behind
        if looked and not behind:
            if self._driver.held or not events:
                self._conclude()
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
        self._driver.look()
        return True

    def _read(self) -> Sequence[Event]:
        try:
            events = self._journal.read()
        except LastLineGone:
            # The driver's disk refused to keep it: what was shown of it is taken back.
            self._fold(initial(self._plan), self._journal.step_back(), tell=())
            events = self._journal.read()
        if events:
            self._fold(self.feed.state, events, tell=tuple(events))
        return events

    def _fold(self, state: RunState, events: Sequence[Event], *, tell: tuple[Event, ...]) -> None:
        if state.seq == 0:
            self._driver.forget()
        problem = plan_problem(self._plan_json, events) if state.seq == 0 else ""
        if problem:
            raise JournalError(problem, remedy="Put plan.json back as it was; `release-console verify` checks a run.")
        for event in events:
            if self._driver.hear(event):
                self._look_at = self._clock.monotonic()
        try:
            state = fold_on(state, events)
        except ValueError as error:
            raise JournalError(f"Plan and journal do not fit together: {error}.") from error
        self.feed.publish(StateChanged(state, tell))

    def _conclude(self) -> None:
        """Say what the lock and the journal together say."""
        self._status = status = self._driver.status()
        self._tell(status)
        self._tell(self._tail_status(status))
        finished = self.feed.state.status is RunStatus.FINISHED
        self._over = finished and (self._driver.left or status.driving is not Driving.DRIVES)

    def _tail_status(self, status: DriverStatus) -> TailStatus:
        if self._tail.trouble:
            return TailStatus(connected=False, reason=f"the log lines cannot be read: {self._tail.trouble}")
        if status.driving is not Driving.DRIVES:
            return TailStatus(connected=False, reason=status.text)
        if not self.feed.tail:
            return TailStatus(connected=False, reason="nothing was heard yet")
        return TailStatus(connected=True)

    def _tell(self, update: Update) -> None:
        """Publish an update unless it is what was told last of its kind."""
        if self._told.get(type(update)) != update:
            self._told[type(update)] = update
            self.feed.publish(update)
