"""The bars of the timeline as moments."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from console.domain.plan import DurationRange
from console.domain.state import StepStatus
from screens.view import View


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: when it began or will begin, when it ended or will end."""

    title: str
    planned: DurationRange
    start: datetime
    end: datetime
    over: bool
    running: bool
    happened: bool
    failed: bool = False
    late: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """All rows on one axis. `spread` and `behind` in seconds."""

    start: datetime
    end: datetime
    bars: tuple[Bar, ...]
    ends: datetime | None
    spread: float = 0.0
    behind: float = 0.0


def chart(view: View) -> Chart:
    """The timeline of a run as it stands now."""
    state = view.state
    begin = state.started_at or view.now
    at, spread, bars = begin, 0.0, []
    pace = state.pace or 1.0
    for row in state.plan.timeline:
        steps = [state.steps[i] for i in row.steps if i in state.steps]
        starts = [s.started_at for s in steps if s.started_at is not None]
        ends = [s.ended_at for s in steps if s.ended_at is not None]
        over = bool(steps) and all(s.over for s in steps)
        middle = (row.planned.low + row.planned.high) / 2 / pace
        start = min(starts) if starts else max(at, view.now)
        if over:
            start = min(starts, default=at)
            end = max(ends, default=start)
        else:
            end = max(start + timedelta(seconds=middle), view.now)
            spread += (row.planned.high - row.planned.low) / 2 / pace
        failed = any(s.status is StepStatus.FAILED for s in steps)
        bars.append(Bar(row.title, row.planned, start, end, over, bool(starts) and not over, bool(starts), failed))
        at = max(at, end)
    last = max((bar.end for bar in bars), default=begin)
    declared = state.plan.declared_total.high / pace
    behind = max((last - begin).total_seconds() - declared, 0.0)
    return Chart(begin, last, tuple(bars), last if state.started_at is not None else None, spread, behind)
