"""The plan's timeline beside what happened: planned ranges, actual times, forecast.

A pure function of the state and the time of day. What happened is in wall seconds, as it was; where a row stands
beside the others is in planned seconds. What always holds: the two are compared only where they pass alike. A pace
divides the waits that plan and sandbox invent, but neither real work nor people: beside it nothing is late, early or
foreseen, and the bars stand where the plan has them.
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


_OVER = (RowStatus.DONE, RowStatus.SKIPPED)


_OVER = (RowStatus.DONE, RowStatus.SKIPPED)


@dataclass(frozen=True, slots=True)
class RowState:
    """A row as it stands. `actual` is what it took, or takes so far, in wall seconds without waits for a person.

    `begins` and `ends` are planned seconds from the start of the run; `ends` is a range while it is a forecast, and has
    equal bounds once it is a fact. `length` is how long its bar is, in planned seconds; None before it has begun.
    `over_plan`: seconds beyond the longest that was planned for it; 0 while within, and where nothing can be compared.
    """

    row: TimelineRow
    status: RowStatus
    actual: float | None
    begins: DurationRange
    ends: DurationRange
    length: float | None = None
    over_plan: float = 0.0


@dataclass(frozen=True, slots=True)
class Timeline:
    """The rows and the totals. `elapsed` and `waited_for_people` are wall seconds.

    `comparable`: whether planned time passes as fast as the clock on the wall. Where it does not, `forecast` is the
    plan's own length and `drift` is 0; else `drift` is how much later (negative: earlier) it will end than planned.
    """

    rows: tuple[RowState, ...]
    declared: DurationRange
    computed: DurationRange
    elapsed: float
    forecast: DurationRange
    drift: float
    waited_for_people: float
    comparable: bool

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
        self.comparable = comparable(state)

    def waited(self, since: datetime, until: datetime) -> float:
        """Wall seconds between two moments for which the run waited for a person."""
        overlaps = ((min(until, end) - max(since, begin)).total_seconds() for begin, end in self._waits)
        return sum(each for each in overlaps if each > 0)

    def worked(self, since: datetime, until: datetime) -> float:
        """Wall seconds between two moments, without the waits for a person."""
        return max(0.0, (until - since).total_seconds() - self.waited(since, until))

    def length(self, worked: float, planned: DurationRange) -> float:
        """How many planned seconds so many of work stand for: beside a pace never more than were planned."""
        return worked if self.comparable else min(worked * self._pace, planned.high)

    def at(self, moment: datetime) -> float:
        """Planned seconds from the start of the run to a moment; 0 where the two cannot be compared."""
        return (moment - self._start).total_seconds() if self.comparable else 0.0

    def point(self, moment: datetime) -> DurationRange:
        """A moment that is a fact, as a range of no width."""
        seconds = self.at(moment)
        return DurationRange(seconds, seconds)


def comparable(state: RunState) -> bool:
    """Whether planned time passes as fast as the clock on the wall: so it does unless a rehearsal has a pace."""
    return state.pace == 1.0


def timeline(state: RunState, now: datetime) -> Timeline:
    """The timeline at the moment `now`."""
    end = state.finished_at or now
    start = state.started_at or end
    time = _PlannedTime(state, start, end)
    rows = _rows(state, end, time)
    planned = _planned_length(state)
    forecast = _forecast(rows, time.at(end)) if time.comparable else planned
    return Timeline(
        rows=rows,
        declared=state.plan.declared_total,
        computed=sum((each.planned for each in state.plan.timeline), NONE),
        elapsed=(end - start).total_seconds(),
        forecast=forecast,
        drift=_middle(forecast) - _middle(planned),
        waited_for_people=time.waited(start, end),
        comparable=time.comparable,
    )


def _forecast(rows: tuple[RowState, ...], present: float) -> DurationRange:
    """When the last row that has a planned time ends, and not before now while one of those is still open."""
    planned = [each for each in rows if each.row.planned.high > 0] or list(rows)
    over = bool(planned) and all(each.status in _OVER for each in planned)
    least = 0.0 if over else present
    return DurationRange(
        max([least, *(each.ends.low for each in planned)]), max([least, *(each.ends.high for each in planned)])
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
    over = status in _OVER
    ended = max((each.ended_at for each in steps if each.ended_at is not None), default=now) if over else now
    begun = min((each.started_at for each in steps if each.started_at is not None), default=None)
    actual = time.worked(begun, ended) if begun is not None else None
    length = time.length(actual, row.planned) if actual is not None else None
    if not time.comparable:
        return RowState(row, status, actual, ready, ready + row.planned, length)
    if begun is None:
        if over:
            return RowState(row, status, None, time.point(ended), time.point(ended))
        return RowState(row, status, None, ready, ready + row.planned)
    begins, late = time.point(begun), _over_plan(row, actual)
    if over:
        return RowState(row, status, actual, begins, time.point(ended), length, late)
    present, planned_end = time.at(now), begins + row.planned
    ends = DurationRange(max(planned_end.low, present), max(planned_end.high, present))
    return RowState(row, status, actual, begins, ends, length, late)


def _over_plan(row: TimelineRow, actual: float | None) -> float:
    """A row without a planned time is never beyond it."""
    return max(0.0, (actual or 0.0) - row.planned.high) if row.planned.high > 0 else 0.0


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
