"""What is known of a run that somebody else drives, and what was told of it; wherever its lines are read.

What always holds: every event is told once, in order, folded as the driver folds it; an update that says what was said
last is not told again.
"""

from collections.abc import Iterable, Sequence
from itertools import chain

from console.domain.events import Event
from console.domain.fold import fold_on, initial
from console.domain.state import RunState, RunStatus
from console.domain.wire import WireError, decode_plan
from console.engine.driver_news import OF_DRIVERS, DriverNews
from console.engine.feed import RunFeed
from console.engine.runs import plan_problem
from console.errors import JournalError
from console.ports import DriverStatus, Driving, JournalFailed, StateChanged, TailStatus, Update


class Following:
    """What a follower shows of its run: the feed, the state as far as it was read, who drives, whether it is over."""

    def __init__(self, run: "Followed") -> None:
        self._run = run
        self.feed = run.feed

    @property
    def state(self) -> RunState:
        """The state as far as the record was read."""
        return self._run.state

    @property
    def driver(self) -> DriverStatus:
        """Who drives, or how the last driver ended, as it was told last."""
        return self._run.driver

    @property
    def over(self) -> bool:
        """Whether the run is finished and nothing more will be written: its driver left, or is gone behind its end."""
        return self._run.over


class Followed:
    """One run as far as its events were taken in. Raises JournalError when its frozen plan cannot be read."""

    def __init__(self, run: str, plan_json: str, *, shared: bool = False) -> None:
        try:
            self._plan = decode_plan(plan_json)
        except WireError as error:
            raise JournalError(f"The frozen plan of {run} cannot be read: {error}.") from error
        self._plan_json = plan_json
        self._told: dict[type[Update], Update] = {}
        self.news = DriverNews(shared=shared)
        self.feed = RunFeed(initial(self._plan))
        self.driver: DriverStatus = self.news.status()
        """Who drives, or how the last driver ended, as it was told last."""
        self.over = False
        """Whether the run is finished and nothing more will be written: its driver left, or is gone behind its end."""

    @property
    def state(self) -> RunState:
        """The state as far as events were taken in."""
        return self.feed.state

    def take(self, events: Sequence[Event]) -> bool:
        """Take further events in and tell them; whether one of them is about a driver. Raises JournalError."""
        return self._fold(self.state, events, tell=tuple(events))

    def take_whole(self, blocks: Iterable[Sequence[Event]]) -> None:
        """Take a whole history in, block by block, and tell the state that it makes. Raises JournalError."""
        self.news.forget()
        state = self._folded(initial(self._plan), chain.from_iterable(map(self._hear_block, blocks)))
        self.feed.publish(StateChanged(state, ()))

    def take_back(self, events: Sequence[Event]) -> bool:
        """The record is these events after all, from the first on: what was told behind them is taken back."""
        return self._fold(initial(self._plan), events, tell=())

    def conclude(self, tail_trouble: str = "") -> None:
        """Say what becomes of the driver and of the log, once the events are read that a look at who drives precedes.

        `tail_trouble` says why the log lines cannot be read.
        """
        self.driver = status = self.news.status()
        self.tell(status)
        self.tell(self._tail_status(status, tail_trouble))
        finished = self.state.status is RunStatus.FINISHED
        self.over = finished and (self.news.left or status.driving is not Driving.DRIVES)

    def fails(self, error: JournalError) -> None:
        """Say that the record cannot be followed any more."""
        self.tell(JournalFailed(error.message, error.remedy))

    def tell(self, update: Update) -> None:
        """Publish an update unless it is what was told last of its kind."""
        if self._told.get(type(update)) != update:
            self._told[type(update)] = update
            self.feed.publish(update)

    def tell_again(self) -> None:
        """Publish what was told last of every kind, for those who listen only now."""
        for known in tuple(self._told.values()):
            self.feed.publish(known)

    def _fold(self, state: RunState, events: Sequence[Event], *, tell: tuple[Event, ...]) -> bool:
        if state.seq == 0:
            self.news.forget()
            self._must_be_the_plan_of(events)
        of_driver = [self.news.hear(event) for event in events]
        self.feed.publish(StateChanged(self._folded(state, events), tell))
        return any(of_driver)

    def _hear_block(self, events: Sequence[Event]) -> Sequence[Event]:
        """Hear what a block says of drivers, and when it ends; the block again."""
        if events and events[0].seq == 1:
            self._must_be_the_plan_of(events)
        for event in [*(each for each in events[:-1] if each.kind in OF_DRIVERS), *events[-1:]]:
            self.news.hear(event)
        return events

    def _must_be_the_plan_of(self, events: Sequence[Event]) -> None:
        problem = plan_problem(self._plan_json, events)
        if problem:
            raise JournalError(problem, remedy="Put plan.json back as it was; `release-console verify` checks a run.")

    @staticmethod
    def _folded(state: RunState, events: Iterable[Event]) -> RunState:
        try:
            return fold_on(state, events)
        except ValueError as error:
            raise JournalError(f"Plan and journal do not fit together: {error}.") from error

    def _tail_status(self, status: DriverStatus, trouble: str) -> TailStatus:
        if trouble:
            return TailStatus(connected=False, reason=f"the log lines cannot be read: {trouble}")
        if status.driving is not Driving.DRIVES:
            return TailStatus(connected=False, reason=status.text)
        if not self.feed.tail:
            return TailStatus(connected=False, reason="nothing was heard yet")
        return TailStatus(connected=True)
