"""The timeline: a row of the plan each, what was planned beside what happened and what is to be expected.

The domain reckons in planned seconds since the start; only here do they become columns and times of day. What took
place is shown as long as it took; where a pace makes the plan pass faster, that is said once and nothing is foreseen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from textual.content import Content

from console.domain.plan import DurationRange
from console.domain.timeline import RowState, RowStatus, Timeline, comparable
from console.domain.timeline import timeline as reckon
from screens.paint import ink, words
from screens.paint.way_gone import took
from screens.view import View

_SOLID, _BEYOND, _SURE, _MAYBE = "█", "▓", "▒", "░"
LEAST_WIDTH = 40
LATE = 2
"""From how many minutes behind the plan on the header says so."""
_TICKS = (60.0, 120.0, 300.0, 600.0, 900.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0, 43200.0)
_OVER = (RowStatus.DONE, RowStatus.SKIPPED)


@dataclass(frozen=True, slots=True)
class _Scale:
    """From planned seconds since the start to columns."""

    length: float
    width: int

    def column(self, seconds: float) -> int:
        return round(min(max(seconds / max(self.length, 1.0), 0.0), 1.0) * self.width)


def moment_at(view: View, seconds: float) -> datetime:
    """The time of day that is so many seconds after the start (which is now until it has begun)."""
    return (view.state.started_at or view.now) + timedelta(seconds=seconds)


def forecast(view: View) -> Content:
    """For the header: when it ends, how sure that is.

    Nothing while an incident is open, and in a rehearsal whose pace is not the plan's.
    """
    if not view.started:
        return ink.line(("planned ", ink.QUIET), (words.planned(view.state.plan.declared_total), ink.STRONG))
    if view.state.finished_at is not None:
        return ink.line(("ended ", ink.QUIET), (words.at(view.state.finished_at), ink.STRONG))
    if view.state.incident_at is not None or not comparable(view.state):
        return ink.BLANK
    data = reckon(view.state, view.now)
    ends = moment_at(view, (data.forecast.low + data.forecast.high) / 2)
    spread = (data.forecast.high - data.forecast.low) / 2
    sure = (f" ±{words.minutes(spread)}" if spread >= 1 else "", ink.QUIET)
    late = data.behind_minutes
    beside = (f" +{late} min" if late >= LATE else "", ink.NOW)
    return ink.line(("ends ", ink.QUIET), (words.at(ends), ink.STRONG), sure, beside)


def timeline(view: View, width: int, height: int) -> list[Content]:
    """A line of times, a line a row of the plan, a line of sums; rows that are over give way when space is short."""
    data = reckon(view.state, view.now)
    data = replace(data, rows=tuple(row for row in data.rows if not _given_up(view, row)))
    rows = _in_sight(view, data.rows, max(height - 2, 1))
    if not rows or width < LEAST_WIDTH:
        return []
    titles = min(max(len(row.row.title) for row in rows), max(width * 3 // 10, 12))
    notes = max(len(_note(row)) for row in rows) + 1
    length = max(data.forecast.high, *(_reach(row) for row in data.rows))
    scale = _Scale(length, max(width - titles - 2 - notes, 8))
    lines = [_axis(view, scale, titles)]
    lines += [_row(row, scale, titles, width) for row in rows]
    return [*lines, _sums(view, data, titles, width)]


def _given_up(view: View, row: RowState) -> bool:
    """Whether a row was not begun and stands still because a way back is gone."""
    return row.status is RowStatus.PENDING and bool(row.row.steps) and all(map(view.state.set_aside, row.row.steps))


def _in_sight(view: View, rows: Sequence[RowState], room: int) -> Sequence[RowState]:
    """Those around the first that is not over; what stands still because a way back is gone counts as over."""
    if len(rows) <= room:
        return rows
    aside = view.state.set_aside
    still = {place for place, row in enumerate(rows) if row.status in _OVER or any(map(aside, row.row.steps))}
    first_open = next((place for place in range(len(rows)) if place not in still), len(rows))
    start = min(max(first_open - 1, 0), len(rows) - room)
    return rows[start : start + room]


def _begin(row: RowState) -> float:
    return (row.begins.low + row.begins.high) / 2


def _reach(row: RowState) -> float:
    """Where a row's bar ends at the latest."""
    return max(_begin(row) + row.row.planned.high, row.ends.high)


def _axis(view: View, scale: _Scale, titles: int) -> Content:
    """Times above the bars: of day, or since the start where a rehearsal's pace makes those meaningless."""
    label: Callable[[float], str]
    if comparable(view.state):
        offset = moment_at(view, 0.0).timestamp()
        label = lambda seconds: words.at(moment_at(view, seconds))  # noqa: E731
    else:
        offset = 0.0
        label = lambda seconds: f"+{words.minutes(seconds)}"  # noqa: E731
    step = next((tick for tick in _TICKS if scale.length / tick * 9 <= scale.width), _TICKS[-1])
    seconds = step - offset % step
    cells = [" "] * (scale.width + 8)
    while seconds <= scale.length:
        text, column = label(seconds), scale.column(seconds)
        cells[column : column + len(text)] = text
        seconds += step
    head = ink.heading("Timeline").truncate(titles, pad=True)
    return Content.assemble(head, "  ", ink.line(("".join(cells).rstrip(), ink.QUIET)))


def _row(row: RowState, scale: _Scale, titles: int, width: int) -> Content:
    running = row.status is RowStatus.RUNNING
    quiet = row.status in (RowStatus.PENDING, RowStatus.SKIPPED)
    style = ink.STRONG if running else ink.QUIET if quiet else ink.PLAIN
    title = ink.line((row.row.title, style)).truncate(titles, ellipsis=True, pad=True)
    start = _begin(row)
    first = min(scale.column(start), scale.width - 1)
    note_style = ink.NOW if running or row.over_plan else ink.DANGER if row.status is RowStatus.FAILED else ink.QUIET
    note = ink.line((f" {_note(row)}", note_style))
    return ink.fit(Content.assemble(title, "  ", " " * first, _bar(row, scale, start, first), note), width)


def _bar(row: RowState, scale: _Scale, start: float, first: int) -> Content:
    """Solid for what happened, denser for what is beyond the plan, light for what was planned or is to come."""
    planned = row.row.planned
    sure = max(scale.column(start + planned.low), first + 1)
    most = max(scale.column(start + planned.high), sure)
    if row.length is None:
        if not planned.high:
            return ink.BLANK
        return ink.line((_SURE * (sure - first) + _MAYBE * (most - sure), ink.QUIET))
    reached = max(scale.column(start + row.length), first + 1)
    style = {RowStatus.FAILED: ink.DANGER, RowStatus.RUNNING: ink.NOW}.get(row.status, ink.GOOD)
    within = min(reached, most) if row.over_plan else reached
    return ink.line(
        (_SOLID * (within - first), style),
        (_BEYOND * (reached - within), ink.DANGER if row.status is RowStatus.FAILED else ink.NOW),
        (_MAYBE * (most - within) if most > reached else "", ink.QUIET),
    )


def _note(row: RowState) -> str:
    """How long it took, as the checklist says it too, beside what was planned; nothing planned, nothing beside it."""
    plan = words.planned(row.row.planned)
    if row.status is RowStatus.SKIPPED:
        return "left out"
    if row.actual is None:
        return plan
    return f"{words.duration(row.actual)} of {plan}" if plan else words.duration(row.actual)


def _sums(view: View, data: Timeline, titles: int, width: int) -> Content:
    head = ink.line(("in all", ink.QUIET)).truncate(titles, pad=True)
    sums = Content.assemble(head, "  ", _in_all(view, data))
    if view.started and not data.comparable:
        return _with_pace(view, sums, width)
    waited = ink.line(("   waited for people ", ink.QUIET), words.duration(data.waited_for_people))
    if data.waited_for_people >= 1 and sums.cell_length + waited.cell_length <= width:
        sums = Content.assemble(sums, waited)
    legend = ink.line((f"{_SOLID} actual  {_MAYBE} planned", ink.QUIET))
    fits = sums.cell_length + legend.cell_length + 3 <= width
    return ink.sides(sums, legend, width) if fits else ink.fit(sums, width)


def _in_all(view: View, data: Timeline) -> Content:
    """How long the run, or the way back that is shown alone, took beside what is to be expected of it."""
    total = words.planned(_rounded(data.forecast)) if view.started else words.planned(data.declared)
    if not view.started:
        return ink.line((f"declared {total}, rows add up to {words.planned(data.computed)}", ink.QUIET))
    if len(view.state.active) < len(view.state.steps):
        # What was planned for the whole run says nothing any more once a way back is gone.
        return ink.line(words.duration(data.elapsed))
    if view.state.rollback is not None:
        return took(view)
    if not data.comparable:
        return ink.line(words.duration(data.elapsed), (f" of {total}", ink.QUIET))
    return ink.line(words.duration(data.elapsed), (f" of about {total}", ink.QUIET), *_drift(data))


def _with_pace(view: View, sums: Content, width: int) -> Content:
    """The sums, and once what the pace means where planned times stand beside actual ones."""
    said = words.faster(view.state.pace)
    if sums.cell_length + len(said) + 3 > width:
        said = words.faster(view.state.pace, brief=True)
    return ink.fit(Content.assemble(sums, ink.line((f"   {said}", ink.QUIET))), width)


def _rounded(span: DurationRange) -> DurationRange:
    return DurationRange(round(span.low / 60) * 60.0, round(span.high / 60) * 60.0)


def _drift(data: Timeline) -> list[ink.Part]:
    late = data.behind_minutes
    if late > 0:
        return [(f"   {late} min behind", ink.NOW)]
    return [(f"   {-late} min ahead" if late < 0 else "   on time", ink.GOOD)]
