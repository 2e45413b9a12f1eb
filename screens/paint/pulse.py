"""The line above a log tail: which services are heard, how fast, what is wrong, whether it follows."""

from datetime import datetime

from textual.content import Content

from console.ports import TailStatus
from screens.paint import ink, words
from screens.ring import Mark, Ring

LIVELY_SERVICES = 4


def pulse(
    ring: Ring, tail: TailStatus, rate: float, width: int, *, following: bool, title: str = "Log", held: int = 0
) -> Content:
    """One line. `rate` is in lines a second; `held` is how many lines arrived since the tail was paused."""
    parts = [ink.line((title, ink.QUIET_STRONG))]
    names = sorted(ring.services)
    if ring.until is not None:
        parts.append(_until(ring, ring.until))
    elif tail.connected:
        listening = ", ".join(names[:LIVELY_SERVICES]) or "listening"
        parts.append(ink.line(("● ", ink.GOOD), (listening, ink.QUIET)))
    else:
        reason = f": {tail.reason}" if tail.reason else ""
        parts.append(ink.line((f"○ not heard{reason}", ink.NOW)))
    if ring.until is None:
        parts.append(ink.line((f"{rate:,.0f} lines/s", ink.QUIET)))
    schema, errors = ring.marks[Mark.SCHEMA], ring.marks[Mark.ERROR]
    if errors:
        parts.append(ink.line((f"! {words.count(errors, 'error')}", ink.DANGER)))
    if schema:
        parts.append(ink.line((f"✗ {words.count(schema, 'schema error')}", ink.DANGER_STRONG)))
    state = ink.line(("following", ink.QUIET)) if following else ink.line((_paused(held), ink.NOW))
    state = state if ring.until is None else ink.BLANK
    return ink.sides(Content("   ").join(parts), state, width, gap=2)


def _until(ring: Ring, moment: datetime) -> Content:
    """How far the log goes for whoever looks back; older lines than are kept cannot be shown."""
    if not len(ring):
        return ink.line(
            ("◀ no line from before ", ink.NOW), (words.at(moment, seconds=True), ink.NOW), (" is kept", ink.NOW)
        )
    return ink.line(("◀ until ", ink.NOW), (words.at(moment, seconds=True), ink.NOW))


def _paused(held: int) -> str:
    return f"‖ paused, {held:,} new below" if held else "‖ paused"
