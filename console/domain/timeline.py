"""The plan's timeline beside what happened: planned ranges, actual times, forecast.

A pure function of the state and the time of day. Everything is in planned seconds: in a rehearsal wall time is
multiplied by the pace, because a wait that was divided by it stands for the planned one; real work then
looks as much longer as it would not be, which is why a rehearsal's figures are shown as such. People are not
paced: time that the run waited for a person counts as it is, apart from what the rows took.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from console.domain.dependencies import all_predecessors
from console.domain.plan import DurationRange, TimelineRow
from console.domain.state import RunState, StepState, StepStatus

NONE = DurationRange(0.0, 0.0)


class RowStatus(StrEnum):
    """Where a row of the timeline stands."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class RowState:
    """A row as it stands. `actual` is what it took, or takes so far; `begins`, `ends` count from the start of the run.

    `ends` is a range while it is a forecast, and has equal bounds once it is a fact.
    """

    row: TimelineRow
    status: RowStatus
    actual: float | None
    begins: DurationRange
    ends: DurationRange

    @property
    def over_plan(self) -> float:
        """Seconds by which the row is beyond the longest that was planned for it; 0 while it is within."""
        return max(0.0, (self.actual or 0.0) - self.row.planned.high)


@dataclass(frozen=True, slots=True)
class Timeline:
    """The rows and the totals. `drift`: how much later (negative: earlier) the run will end than planned."""

    rows: tuple[RowState, ...]
    declared: DurationRange
    computed: DurationRange
    elapsed: float
    forecast: DurationRange
    drift: float
    waited_for_people: float

    @property
    def behind_minutes(self) -> int:
        """Whole minutes behind the plan; negative when ahead of it."""
        return round(self.drift / 60.0)


class _PlannedTime:
    """Converts wall time since the start of the run to planned time, in the one place where that is done."""

    def __init__(self, state: RunState, start: datetime, now: datetime) -> None:
        self._waits = list(state.waits)
        if state.waiting_since is not None:
            self._waits.append((state.waiting_since, max(now, state.waiting_since)))
        self._start = start
        self._pace = state.pace

    def waited(self, since: datetime, until: datetime) -> float:
        """Wall seconds between two moments for which the run waited for a person."""
        overlaps = ((min(until, end) - max(since, begin)).total_seconds() for begin, end in self._waits)
        return sum(each for each in overlaps if each > 0)

    def worked(self, since: datetime, until: datetime) -> float:
        """Planned seconds between two moments, without the waits for a person."""
        return max(0.0, (until - since).total_seconds() - self.waited(since, until)) * self._pace

    def at(self, moment: datetime) -> float:
        """Planned seconds from the start of the run to a moment, the waits for a person as they were."""
        return self.worked(self._start, moment) + self.waited(self._start, moment)

    def point(self, moment: datetime) -> DurationRange:
        """A moment that is a fact, as a range of no width."""
        seconds = self.at(moment)
        return DurationRange(seconds, seconds)


def timeline(state: RunState, now: datetime) -> Timeline:
    """The timeline at the moment `now`."""
    end = state.finished_at or now
    start = state.started_at or end
    time = _PlannedTime(state, start, end)
    elapsed = time.at(end)
    rows = _rows(state, end, time)
    last = [each.ends for each in rows]
    forecast = DurationRange(
        max([elapsed, *(each.low for each in last)]), max([elapsed, *(each.high for each in last)])
    )
    planned = _planned_length(state)
    return Timeline(
        rows=rows,
        declared=state.plan.declared_total,
        computed=sum((each.planned for each in state.plan.timeline), NONE),
        elapsed=elapsed,
        forecast=forecast,
        drift=_middle(forecast) - _middle(planned),
        waited_for_people=time.waited(start, end),
    )


def _rows(state: RunState, now: datetime, time: _PlannedTime) -> tuple[RowState, ...]:
    """The rows with their forecasts: each begins when those that it waits for have ended, and not before now."""
    needs = _row_dependencies(state)
    present = time.at(now)
    found: list[RowState] = []
    for number, row in enumerate(state.plan.timeline):
        earlier = [found[each].ends for each in needs[number]]
        ready = DurationRange(
            max([present, *(each.low for each in earlier)]), max([present, *(each.high for each in earlier)])
        )
        found.append(_row(state, row, now, time, ready))
    return tuple(found)


def _row(state: RunState, row: TimelineRow, now: datetime, time: _PlannedTime, ready: DurationRange) -> RowState:
    steps = [state.steps[each] for each in row.steps]
    status = _status(steps)
    over = status in (RowStatus.DONE, RowStatus.SKIPPED)
    ended = max((each.ended_at for each in steps if each.ended_at is not None), default=now) if over else now
    begun = min((each.started_at for each in steps if each.started_at is not None), default=None)
    if begun is None:
        if over:
            return RowState(row, status, None, time.point(ended), time.point(ended))
        return RowState(row, status, None, ready, ready + row.planned)
    begins, actual = time.point(begun), time.worked(begun, ended)
    if over:
        return RowState(row, status, actual, begins, time.point(ended))
    present, planned_end = time.at(now), begins + row.planned
    return RowState(
        row, status, actual, begins, DurationRange(max(planned_end.low, present), max(planned_end.high, present))
    )


def _status(steps: list[StepState]) -> RowStatus:
    statuses = [each.status for each in steps]
    if any(each in (StepStatus.FAILED, StepStatus.UNCERTAIN) for each in statuses):
        return RowStatus.FAILED
    if statuses and all(each is StepStatus.SKIPPED for each in statuses):
        return RowStatus.SKIPPED
    if statuses and all(each.over for each in steps):
        return RowStatus.DONE
    begun = any(each is StepStatus.RUNNING for each in statuses) or any(each.over for each in steps)
    return RowStatus.RUNNING if begun else RowStatus.PENDING


def _row_dependencies(state: RunState) -> list[list[int]]:
    """For every row the earlier rows whose steps it waits for, directly or not."""
    plan = state.plan
    needs: list[list[int]] = []
    for number, row in enumerate(plan.timeline):
        before = {each for step in row.steps for each in all_predecessors(plan, step)}
        needs.append([each for each in range(number) if before.intersection(plan.timeline[each].steps)])
    return needs


def _planned_length(state: RunState) -> DurationRange:
    """How long the run takes when every row takes what was planned, with rows side by side where they may be."""
    ends: list[DurationRange] = []
    for row, needs in zip(state.plan.timeline, _row_dependencies(state), strict=True):
        low = max((ends[each].low for each in needs), default=0.0)
        high = max((ends[each].high for each in needs), default=0.0)
        ends.append(DurationRange(low, high) + row.planned)
    return DurationRange(max((each.low for each in ends), default=0.0), max((each.high for each in ends), default=0.0))


def _middle(span: DurationRange) -> float:
    return (span.low + span.high) / 2.0
