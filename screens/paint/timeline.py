"""The timeline: a row of the plan each, what was planned beside what happened and what is to be expected."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from textual.content import Content

from screens.paint import ink, words
from screens.paint.chart import Bar, Chart, chart
from screens.view import View

_ACTUAL = "█"
_EXPECTED = "░"
LEAST_WIDTH = 40


@dataclass(frozen=True, slots=True)
class _Scale:
    """From moments to columns."""

    start: datetime
    end: datetime
    width: int

    def column(self, moment: datetime) -> int:
        span = max((self.end - self.start).total_seconds(), 1.0)
        share = (moment - self.start).total_seconds() / span
        return round(min(max(share, 0.0), 1.0) * self.width)


def forecast(view: View) -> Content:
    """For the header: when it ends, how sure that is, how far off the plan."""
    data = chart(view)
    if data.ends is None:
        return ink.BLANK
    if view.state.finished_at is not None:
        return ink.line(("ended ", ink.QUIET), (words.at(view.state.finished_at), ink.STRONG))
    parts: list[ink.Part] = [("ends ", ink.QUIET), (words.at(data.ends), ink.STRONG)]
    if data.spread >= 30:
        parts.append((f" ±{words.minutes(data.spread)}", ink.QUIET))
    return ink.line(*parts)


def timeline(view: View, width: int, height: int) -> list[Content]:
    """A line of times, a line a row of the plan, a line of sums; rows that are over give way when space is short."""
    data = chart(view)
    if not data.bars or width < LEAST_WIDTH:
        return []
    bars = _in_sight(data.bars, max(height - 2, 1))
    titles = min(max(len(bar.title) for bar in bars), max(width // 4, 12))
    notes = max(len(_note(bar, view)) for bar in bars) + 2
    scale = _Scale(data.start, data.end, max(width - titles - notes - 2, 8))
    lines = [_axis(view, scale, titles)]
    lines += [_row(view, bar, scale, titles) for bar in bars]
    return [*lines, ink.fit(_sums(view, data, titles), width)]


def _in_sight(bars: Sequence[Bar], room: int) -> Sequence[Bar]:
    if len(bars) <= room:
        return bars
    first_open = next((place for place, bar in enumerate(bars) if not bar.over), len(bars))
    start = min(max(first_open - 1, 0), len(bars) - room)
    return bars[start : start + room]


def _axis(view: View, scale: _Scale, titles: int) -> Content:
    """Times of day above the bars, and where now is."""
    cells = [" "] * (scale.width + 6)
    step = _tick(scale)
    first = scale.start.timestamp() // step + 1
    moment = scale.start + timedelta(seconds=first * step - scale.start.timestamp())
    free = 0
    while moment <= scale.end:
        column, text = scale.column(moment), words.at(moment)
        if column >= free and column + len(text) <= len(cells):
            cells[column : column + len(text)] = text
            free = column + len(text) + 2
        moment += timedelta(seconds=step)
    head = ink.heading("Timeline").truncate(titles, pad=True)
    return Content.assemble(head, "  ", ink.line(("".join(cells), ink.QUIET)))


def _tick(scale: _Scale) -> float:
    span = (scale.end - scale.start).total_seconds()
    most = max(scale.width // 12, 1)
    steps = (60.0, 120.0, 300.0, 600.0, 900.0, 1200.0, 1800.0, 3600.0, 7200.0, 14400.0)
    return next((step for step in steps if span / step <= most), 43200.0)


def _row(view: View, bar: Bar, scale: _Scale, titles: int) -> Content:
    strong = bar.running
    quiet = not bar.over and not bar.running
    title = ink.line((bar.title, ink.STRONG if strong else ink.QUIET if quiet else ink.PLAIN))
    left = scale.column(bar.start)
    right = max(scale.column(bar.end), left + 1)
    now = min(max(scale.column(view.now), left + 1), right) if bar.running else left
    style = ink.DANGER if bar.failed else ink.GOOD if bar.over else ink.NOW
    solid = right if bar.over else now
    parts = [
        ink.line(" " * left),
        ink.line((_ACTUAL * (solid - left), style)),
        ink.line((_EXPECTED * (right - solid), ink.QUIET)),
    ]
    note = ink.line((f" {_note(bar, view)}", ink.NOW if bar.late or strong else ink.QUIET))
    return Content.assemble(title.truncate(titles, ellipsis=True, pad=True), "  ", *parts, note)


def _note(bar: Bar, view: View) -> str:
    plan = words.planned(bar.planned)
    if bar.over:
        took = words.minutes((bar.end - bar.start).total_seconds())
        return f"{took} ({plan})" if bar.happened else "left out"
    if bar.running:
        return f"{words.duration((view.now - bar.start).total_seconds())} of {plan}"
    return plan


def _sums(view: View, data: Chart, titles: int) -> Content:
    head = ink.line(("in all", ink.QUIET)).truncate(titles, pad=True)
    gone = words.minutes(view.since_start)
    parts: list[ink.Part] = [
        head,
        "  ",
        (gone, ink.PLAIN),
        (f" of {words.planned(view.state.plan.declared_total)}", ink.QUIET),
    ]
    waited = view.state.waited_for_people
    if view.state.waiting_since is not None:
        waited += max((view.now - view.state.waiting_since).total_seconds(), 0.0)
    if waited >= 1:
        parts.append(("   waited for people ", ink.QUIET))
        parts.append((words.duration(waited), ink.PLAIN))
    if data.behind >= 60:
        parts.append((f"   {words.minutes(data.behind)} behind the plan", ink.NOW))
    elif view.started:
        parts.append(("   within the plan", ink.QUIET))
    return ink.line(*parts)
