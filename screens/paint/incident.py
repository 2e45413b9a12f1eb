"""The incident screen's own lines: the next thing to press, and how far the way back has come."""

from textual.content import Content

from console.domain.rollback import TITLES
from screens.going_back import Prompt
from screens.paint import ink
from screens.paint.messages import told
from screens.paint.way_gone import price, took
from screens.view import View

_BADGE_NEXT = "bold $background on $now"
_BADGE_GRAVE = "bold $on-danger on $danger"
_BADGE_WAITS = "bold $background on $quiet"


def band(prompt: Prompt, width: int, height: int) -> list[Content]:
    """The one next thing, marked, in words; below it quietly what is good to know."""
    badge, style = (" NEXT ", _BADGE_GRAVE if prompt.grave else _BADGE_NEXT) if prompt.key else (" NOW ", _BADGE_WAITS)
    key = ink.line((f"{prompt.key} ", ink.NOW_STRONG)) if prompt.key else ink.BLANK
    head = Content.assemble(ink.line((badge, style)), "  ", key)
    lines = ink.wrapped(ink.line((prompt.text, ink.STRONG)), width, first=head)
    if prompt.then and len(lines) < max(height, 2):
        lines += ink.wrapped(ink.line((prompt.then, ink.QUIET)), width, first=" " * head.cell_length)
    return lines[: max(height, 1)]


def summary(view: View, width: int, *, brief: bool = False) -> list[Content]:
    """Beside the checklist of a way that is gone: which way, its price, how far it has come, how long it takes.

    `brief`: for a small terminal; which way it is stands in the header.
    """
    state = view.state
    rollback = state.rollback
    if rollback is None:
        return []
    steps = state.active
    over = sum(step.over for step in steps)
    rows = [] if brief else [("Way", ink.line((TITLES[rollback.way], ink.STRONG)))]
    rows.append(("Price", price(rollback.rows, "" if brief else rollback.price)))
    rows += [("Steps", ink.line(f"{over} of {len(steps)} are over")), ("Takes", took(view))]
    if rollback.reason and not brief:
        rows.append(("Chosen", ink.line(rollback.reason, (f"  {rollback.actor}", ink.QUIET))))
    return [*ink.columns(rows, width), *told(view, width)]
