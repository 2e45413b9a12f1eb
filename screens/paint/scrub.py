"""The bar of times, for whoever looks back: what had just happened, and where in the run's time that was.

Up to the moment the line is heavy, behind it light; what matters in the run stands on it with the signs that the
console has for it, the graver one where two share a cell. Nothing is told by colour alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from textual.content import Content

from console.domain.events import Kind
from console.domain.history import Turn
from screens.paint import ink, words
from screens.past import Past

SHORT_RUN = 1200.0
"""Seconds up to which the ends of the line are told to the second."""

_SIGNS: Mapping[Kind, tuple[str, str]] = {
    Kind.INCIDENT_DECLARED: ("!", ink.DANGER_STRONG),
    Kind.STEP_FAILED: (words.FAILED.mark, ink.DANGER_STRONG),
    Kind.STEP_UNCERTAIN: (words.UNCERTAIN.mark, ink.DANGER_STRONG),
    Kind.ROLLBACK_CHOSEN: (words.BACK.mark, ink.NOW_STRONG),
    Kind.SIGNOFF_REFUSED: (words.FAILED.mark, ink.DANGER),
    Kind.SIGNOFF_VOID: ("!", ink.NOW),
    Kind.ALERT_RAISED: ("!", ink.NOW_STRONG),
    Kind.STORE_LOST: ("!", ink.NOW),
    Kind.SIGNOFF_GIVEN: (words.DONE.mark, ink.GOOD),
    Kind.INCIDENT_CLOSED: ("●", ink.STRONG),
    Kind.ROLLBACK_DROPPED: ("○", ink.STRONG),
    Kind.RUN_FINISHED: ("■", ink.STRONG),
    Kind.RUN_STARTED: ("●", ink.STRONG),
    Kind.STEP_REOPENED: ("○", ink.NOW),
}
"""The sign of a turn, the gravest first."""

_RANKS = {kind: rank for rank, kind in enumerate(_SIGNS)}
_DONE, _BEGUN = 1, 2
_TICKS = {0: "━─", _DONE: "┻┴", _BEGUN: "┳┬", _DONE | _BEGUN: "╋┼"}
"""The line where nothing happened, a step was done, one began, and both: before the moment and behind it."""
_HERE = "█"


@dataclass(frozen=True, slots=True)
class Marks:
    """What stands on the line, by column: where steps began or were done, and the gravest turn."""

    columns: range
    ticks: Mapping[int, int]
    turns: Mapping[int, Turn]


def marks(past: Past, width: int) -> Marks:
    """The marks of a line of `width` cells. They hold as long as the run's time and its turns are the same."""
    columns = range(len(_label(past, past.begins)) + 1, max(width - len(_label(past, past.until)) - 1, 1))
    ticks: dict[int, int] = {}
    turns: dict[int, Turn] = {}
    for turn in past.turns:
        column = _column(past, turn.at, columns)
        if turn.kind not in _RANKS:
            ticks[column] = ticks.get(column, 0) | (_BEGUN if turn.kind is Kind.STEP_STARTED else _DONE)
        elif column not in turns or _RANKS[turn.kind] < _RANKS[turns[column].kind]:
            turns[column] = turn
    return Marks(columns, ticks, turns)


def bar(past: Past, marked: Marks, width: int) -> list[Content]:
    """Two lines of `width` cells: what had just happened, and the run's time from its begin to its end or now."""
    here = _column(past, past.at, marked.columns)
    cells = [_cell(column, here, marked.ticks.get(column, 0), marked.turns.get(column)) for column in marked.columns]
    begins, ends = (ink.line((_label(past, each), ink.QUIET)) for each in (past.begins, past.until))
    return [_about(past, width), ink.fit(Content.assemble(begins, " ", *cells, " ", ends), width)]


def moment_at(past: Past, marked: Marks, column: int) -> datetime:
    """The moment that a column of the second line stands for: of the turn that is shown there, else by its place."""
    turn = marked.turns.get(column)
    if turn is not None:
        return turn.at
    share = min(max((column - marked.columns.start) / max(len(marked.columns) - 1, 1), 0.0), 1.0)
    return past.begins + timedelta(seconds=share * (past.until - past.begins).total_seconds())


def _about(past: Past, width: int) -> Content:
    """The last thing that had happened at the moment; at the right how far that is, and what came since."""
    new = ink.line((f"{words.count(past.new, 'new event')}   ", ink.NOW_STRONG)) if past.new else ink.BLANK
    place = ink.line((f"event {past.place} of {past.count}", ink.QUIET))
    playing = ink.line(
        ("   ▶ " if past.playing else "   ‖ ", ink.NOW if past.playing else ink.QUIET), f"×{past.speed:g}"
    )
    said = ink.line((f"{words.at(past.at, seconds=True)} ", ink.NOW_STRONG), (f"{past.sign} ", ink.STRONG), past.words)
    return ink.sides(said, Content.assemble(new, place, playing), width, gap=3)


def _cell(column: int, here: int, ticks: int, turn: Turn | None) -> Content:
    before = column <= here
    text, style = _TICKS[ticks][0 if before else 1], ink.NOW if before else ink.QUIET
    if turn is not None:
        text, style = _SIGNS[turn.kind]
        return ink.line((text, f"{style} reverse" if column == here else style))
    return ink.line((_HERE if column == here else text, style))


def _column(past: Past, moment: datetime, columns: range) -> int:
    return columns.start + round(past.share(moment) * (len(columns) - 1))


def _label(past: Past, moment: datetime) -> str:
    return words.at(moment, seconds=(past.until - past.begins).total_seconds() < SHORT_RUN)
