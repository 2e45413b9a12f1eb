"""A run's time: its state after any of its events, and the turns in it that matter. Pure.

What always holds: `state(place)` is the fold of the first `place` events. Snapshots at even distances make that quick
wherever it is asked for; their number is bounded, so a longer run has them further apart. The run's time never goes
back, also where the clocks of two drivers disagree.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from console.domain.events import Event, Kind
from console.domain.fold import fold_on, initial
from console.domain.plan import Json, Plan
from console.domain.state import RunState

STRIDE = 64
"""Events between two snapshots, at least."""

SNAPSHOTS = 128
"""Snapshots at most: one more, and every second is given up."""

TURNS = frozenset(
    {
        Kind.RUN_STARTED,
        Kind.RUN_FINISHED,
        Kind.STORE_LOST,
        Kind.STEP_STARTED,
        Kind.STEP_SUCCEEDED,
        Kind.STEP_FAILED,
        Kind.STEP_UNCERTAIN,
        Kind.STEP_REOPENED,
        Kind.STEP_TICKED,
        Kind.STEP_SKIPPED,
        Kind.SIGNOFF_GIVEN,
        Kind.SIGNOFF_REFUSED,
        Kind.SIGNOFF_VOID,
        Kind.ALERT_RAISED,
        Kind.INCIDENT_DECLARED,
        Kind.INCIDENT_CLOSED,
        Kind.ROLLBACK_CHOSEN,
        Kind.ROLLBACK_DROPPED,
    }
)
"""The kinds of events that somebody who looks back is looking for."""


@dataclass(frozen=True, slots=True)
class Turn:
    """An event that matters: it is the `place`-th of the run, counted from 1."""

    place: int
    at: datetime
    kind: Kind


def as_planned(state: RunState, events: Iterable[Event]) -> Plan:
    """The plan as it was before the ways back that a run chose joined it; `events` are the run's, from the first on."""
    plan = state.plan
    chosen = [each.data for each in events if each.seq <= state.seq and each.kind is Kind.ROLLBACK_CHOSEN]
    phases, steps, rows = (sum(len(_added(each, key)) for each in chosen) for key in ("phases", "steps", "rows"))
    return replace(
        plan,
        phases=plan.phases[: len(plan.phases) - phases],
        steps=plan.steps[: len(plan.steps) - steps],
        timeline=plan.timeline[: len(plan.timeline) - rows],
    )


def _added(data: Mapping[str, Json], key: str) -> Sequence[Json]:
    value = data.get(key)
    return value if isinstance(value, list) else ()


class History:
    """The events of one run from its first on, as far as they are known, and its state after each of them."""

    def __init__(self, plan: Plan, events: Iterable[Event] = ()) -> None:
        self._events: list[Event] = []
        self._times: list[datetime] = []
        self._turns: list[Turn] = []
        self._stride = STRIDE
        self._snapshots = [initial(plan)]
        self._newest = self._asked = self._snapshots[0]
        self.extend(events)

    def __len__(self) -> int:
        return len(self._events)

    def extend(self, events: Iterable[Event]) -> None:
        """Take further events in. Raises ValueError when they do not follow, or as `fold` does."""
        coming = list(events)
        if coming and coming[0].seq != len(self) + 1:
            raise ValueError(f"event {coming[0].seq} does not follow the {len(self)} that are known")
        while coming:
            room = self._stride - len(self) % self._stride
            taken, coming = coming[:room], coming[room:]
            self._newest = fold_on(self._newest, taken)
            for event in taken:
                self._put(event)
            if len(self) % self._stride == 0:
                self._keep(self._newest)

    def cut(self, count: int) -> None:
        """Take back every event after the first `count`."""
        if count >= len(self):
            return
        self._newest = self.state(count)
        del self._events[count:], self._times[count:]
        del self._snapshots[count // self._stride + 1 :]
        del self._turns[bisect_right(self._turns, count, key=lambda turn: turn.place) :]

    def follow(self, seq: int, events: Sequence[Event]) -> bool:
        """The run now has `seq` events, `events` are the last of them: take that in, and whatever it takes back.

        False, and nothing was taken in, when events between are missing.
        """
        before = seq - len(events)
        if not 0 <= before <= len(self):
            return False
        self.cut(before)
        self.extend(events)
        return True

    def state(self, place: int) -> RunState:
        """The state after the first `place` events. Raises IndexError when there are fewer."""
        if not 0 <= place <= len(self):
            raise IndexError(place)
        base = self._snapshots[place // self._stride]
        if base.seq < self._asked.seq <= place:
            base = self._asked
        if base.seq < place:
            base = fold_on(base, self._events[base.seq : place])
        self._asked = base
        return base

    @property
    def newest(self) -> RunState:
        """The state after all of them."""
        return self._newest

    def event(self, place: int) -> Event:
        """The `place`-th event, counted from 1."""
        return self._events[place - 1]

    def time(self, place: int) -> datetime:
        """When the `place`-th event happened, in the run's time, UTC."""
        return self._times[place - 1]

    def place(self, moment: datetime) -> int:
        """How many events had happened at a moment."""
        return bisect_right(self._times, moment)

    @property
    def turns(self) -> Sequence[Turn]:
        """The events that matter, oldest first."""
        return self._turns

    def turn_before(self, place: int) -> Turn | None:
        """The last turn before the `place`-th event; None when there is none."""
        number = bisect_left(self._turns, place, key=lambda turn: turn.place)
        return self._turns[number - 1] if number else None

    def turn_after(self, place: int) -> Turn | None:
        """The first turn after the `place`-th event; None when there is none."""
        number = bisect_right(self._turns, place, key=lambda turn: turn.place)
        return self._turns[number] if number < len(self._turns) else None

    def _put(self, event: Event) -> None:
        self._events.append(event)
        at = max(event.at, self._times[-1]) if self._times else event.at
        self._times.append(at)
        if event.kind in TURNS:
            self._turns.append(Turn(len(self), at, event.kind))

    def _keep(self, state: RunState) -> None:
        self._snapshots.append(state)
        if len(self._snapshots) > SNAPSHOTS:
            self._snapshots = self._snapshots[::2]
            self._stride *= 2
