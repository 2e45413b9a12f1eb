"""The scrubber: stands at a moment of a run's past and moves through it, by events, turns, time, or playing.

What always holds: the moment lies between the run's first event and now, at least one event had happened, and the
state is the one after exactly those that had. Events that come meanwhile lengthen the run's time and move nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from console.domain.events import Event
from console.domain.history import History
from console.domain.plan import Plan
from console.domain.state import RunStatus
from console.ports import StateChanged, TailStatus
from screens.leads import Jump
from screens.looking import NOT_LOOKING
from screens.past import Past
from screens.view import View

STRETCHES = (1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)
"""Seconds that can be gone at a time: the shortest that leads through a run in MOST_STRETCHES."""

MOST_STRETCHES = 100

SPEEDS = (1.0, 10.0, 60.0, 600.0)
"""How many times as fast a run plays: at first the slowest that shows it within LONGEST_SHOW."""

LONGEST_SHOW = 120.0
"""Seconds."""

FINEST = 400
"""The part of the run's time that can be seen: more than the widest line has cells."""

Says = Callable[[Plan, Event], tuple[str, str]]
"""The sign and the words of an event."""


class Scrubber:
    """Begins at the newest event of a history that is not empty. `now` is the wall time, UTC."""

    def __init__(self, history: History, now: Callable[[], datetime], says: Says | None = None) -> None:
        self._history = history
        self._now = now
        self._says = says
        self._place = self._known = len(history)
        self._at = self._drawn_until = self.until
        span = (self._at - history.time(1)).total_seconds()
        self._stretch = next((each for each in STRETCHES if span <= each * MOST_STRETCHES), STRETCHES[-1])
        self._speed = next(
            (number for number, each in enumerate(SPEEDS) if span <= each * LONGEST_SHOW), len(SPEEDS) - 1
        )
        self.playing = False

    @property
    def at(self) -> datetime:
        """The moment, UTC."""
        return self._at

    @property
    def until(self) -> datetime:
        """Where the run's time ends so far: now, or with its last event once it is closed."""
        last = self._history.time(len(self._history))
        closed = self._history.newest.status is RunStatus.FINISHED
        return last if closed else max(last, self._now())

    def hear(self, change: StateChanged) -> bool:
        """Take in what came; False when that does not follow what is known: the history has to be read anew."""
        if change.state.seq < 1 or not self._history.follow(change.state.seq, change.events):
            return False
        self._place = min(self._place, len(self._history))
        return True

    def move(self, jump: Jump) -> None:
        """Go somewhere else, or play; where there is nothing in that direction it stays at the end."""
        if jump not in (Jump.FASTER, Jump.SLOWER):
            self.playing = jump is Jump.PLAY and not self.playing
        match jump:
            case Jump.EVENT_BACK:
                self._stand(self._place if self._between else self._place - 1)
            case Jump.EVENT_ON if self._place < len(self._history):
                self._stand(self._place + 1)
            case Jump.TURN_BACK:
                turn = self._history.turn_before(self._place + self._between)
                self._stand(turn.place if turn is not None else 1)
            case Jump.TURN_ON if (turn := self._history.turn_after(self._place)) is not None:
                self._stand(turn.place)
            case Jump.EVENT_ON | Jump.TURN_ON | Jump.END:
                self._known = len(self._history)
                self.seek(self.until)
            case Jump.STRETCH_BACK if (self._at - self._history.time(1)).total_seconds() > self._stretch:
                self.seek(self._at - timedelta(seconds=self._stretch))
            case Jump.STRETCH_ON:
                self.seek(self._at + timedelta(seconds=self._stretch))
            case Jump.STRETCH_BACK | Jump.BEGIN:
                self._stand(1)
            case Jump.PLAY if self.playing and self._at >= self.until:
                self._stand(1)
            case Jump.FASTER:
                self._speed = min(self._speed + 1, len(SPEEDS) - 1)
            case Jump.SLOWER:
                self._speed = max(self._speed - 1, 0)

    def seek(self, moment: datetime) -> None:
        """Stand at a moment, or at the nearest of the run's time."""
        self._at = max(min(moment, self.until), self._history.time(1))
        self._place = self._history.place(self._at)

    def play_on(self, seconds: float) -> None:
        """So many seconds went by while it plays; at the end it stops."""
        if self.playing:
            self.seek(self._at + timedelta(seconds=seconds * SPEEDS[self._speed]))
            self.playing = self._at < self.until

    def view(self, now: View) -> View:
        """What was to be seen at the moment, in place of what is to be seen now."""
        tail = TailStatus(connected=False, reason="this is the past")
        state = self._history.state(self._place)
        return replace(
            now,
            state=state,
            now=self._at,
            news={},
            tail=tail,
            record_failed="",
            looking=NOT_LOOKING,
            company=now.company.looked_back(),
            past=self._past(),
        )

    def _past(self) -> Past:
        history, event = self._history, self._history.event(self._place)
        says = self._says or (lambda plan, event: ("·", event.kind.value))
        sign, words = says(history.state(self._place).plan, event)
        return Past(
            at=self._at,
            place=self._place,
            count=len(history),
            begins=history.time(1),
            until=self._line_ends(),
            turns=history.turns,
            sign=sign,
            words=words,
            new=len(history) - self._known,
            stretch=self._stretch,
            speed=SPEEDS[self._speed],
            playing=self.playing,
        )

    def _line_ends(self) -> datetime:
        """Where the line of the run's time ends: it grows by what can be seen, not with every look at the clock."""
        until = self.until
        if (until - self._drawn_until) * FINEST >= until - self._history.time(1) or until < self._drawn_until:
            self._drawn_until = until
        return self._drawn_until

    @property
    def _between(self) -> bool:
        """Whether time has gone by since the last event that had happened."""
        return self._at > self._history.time(self._place)

    def _stand(self, place: int) -> None:
        """Stand where an event has just happened."""
        self._place = max(place, 1)
        self._at = self._history.time(self._place)
