"""The ways back as they are offered: in order with verdict and price, and one of them in full.

What always holds: no way is shown without its price, what would be lost is in the colour of danger and in words, and
nothing but the recommended way carries the mark of it.
"""

from datetime import datetime
from itertools import groupby

from textual.content import Content

from console.domain.loss import Loss
from console.domain.outcome import Line
from console.domain.plan import Step, Strength
from console.domain.rollback import COSTS_ROWS
from console.domain.rollback_plan import rollback_plan
from console.domain.standing import Assessment, WayBack
from screens.paint import blocks, ink, words
from screens.view import View

RECOMMENDED = words.Sign("★", f"bold {ink.GOOD}", "recommended")
_RESTORES = words.Sign("✔", ink.GOOD, "restores service")
_BROKEN = words.Sign("✗", ink.DANGER, "does not restore service")
_APART = words.Sign("–", ink.QUIET, "does not apply")


def verdict(way: WayBack) -> words.Sign:
    """Whether it can be gone and brings service back, as a sign and a word."""
    if not way.applies:
        return _APART
    return _RESTORES if way.restores else _BROKEN


def ordered(assessment: Assessment | None) -> tuple[WayBack, ...]:
    """The ways in the order in which they are shown and numbered: as they were assessed."""
    return assessment.ways if assessment is not None else ()


def row(view: View, way: WayBack, number: int, width: int, *, selected: bool, brief: bool = False) -> list[Content]:
    """A way in the list: its title, below it verdict, price and duration; what does not help in one line.

    `brief`: for a small terminal, where what does not restore service gets one line too.
    """
    style = ink.STRONG if way.recommended or (selected and way.applies) else ink.PLAIN if way.restores else ink.QUIET
    pointer = ink.line(("▸" if selected else " ", ink.NOW_STRONG))
    key = ink.line((f"{number} ", f"bold {ink.IDENT}" if way.applies else ink.QUIET))
    head = Content.assemble(pointer, key)
    title = ink.line((way.title, style))
    if not way.applies:
        return [ink.sides(Content.assemble(head, title), ink.line((_APART.word, _APART.style)), width, gap=2)]
    said = ink.line((" · ", ink.QUIET)).join([_verdict(way), price(way)])
    if brief and not way.restores:
        return [ink.sides(Content.assemble(head, title), said, width, gap=2)]
    star = ink.line((f"{RECOMMENDED.mark} {RECOMMENDED.word}", RECOMMENDED.style)) if way.recommended else ink.BLANK
    took = ink.line((words.planned(way.duration), ink.PLAIN if way.restores else ink.QUIET))
    lines = _beside(title, star, width, first=head)
    wait = reachable(view, way)
    whole = ink.line((" · ", ink.QUIET)).join([said, wait]) if wait else said
    if whole.cell_length + took.cell_length + 5 <= width or not wait:
        return [*lines, *_beside(whole, took, width, first="   ")]
    return [*lines, *_beside(said, took, width, first="   "), Content.assemble("   ", wait)]


def _beside(left: Content, right: Content, width: int, *, first: ink.Part) -> list[Content]:
    """Both on one line where they fit; else the right one below."""
    head = ink.line(first)
    if head.cell_length + left.cell_length + right.cell_length + 2 <= width:
        return [ink.sides(Content.assemble(head, left), right, width, gap=2)]
    below = [Content.assemble(" " * head.cell_length, right)] if right else []
    return [*ink.wrapped(left, width, first=head), *below]


def _verdict(way: WayBack) -> Content:
    sign = verdict(way)
    return ink.line((f"{sign.mark} {sign.word}", sign.style))


def rows_lost(way: WayBack) -> int | None:
    """How many rows would be lost, 0 when none; None when they are lost and nobody could count them."""
    if way.loss is not None:
        return way.loss.rows
    return None if way.way in COSTS_ROWS else 0


def price(way: WayBack) -> Content:
    """The price in a few words."""
    rows = rows_lost(way)
    if rows is None:
        return ink.line(("! rows are lost, not counted", ink.DANGER_STRONG))
    if rows:
        return ink.line((f"! loses {words.count(rows, 'row')}", ink.DANGER_STRONG))
    said = "no row is lost so far" if way.way in COSTS_ROWS else "nothing is lost"
    return ink.line((said, ink.GOOD if way.restores else ink.QUIET))


def reachable(view: View, way: WayBack) -> Content:
    """When it can begin, where that is still to come; else blank."""
    if not way.reachable_at:
        return ink.BLANK
    wait = (datetime.fromisoformat(way.reachable_at) - view.now).total_seconds()
    return ink.line((f"reachable in {words.duration(wait)}", ink.NOW)) if wait > 0 else ink.BLANK


def full(view: View, way: WayBack, assessment: Assessment, width: int) -> list[Content]:
    """A way in full: why, its price by table, its steps in order with what they ask."""
    sign = verdict(way)
    head = ink.line((f"{RECOMMENDED.mark} {RECOMMENDED.word}  ", RECOMMENDED.style)) if way.recommended else ink.BLANK
    lines = ink.wrapped(ink.line((way.title, ink.STRONG)), width)
    lines.append(Content.assemble(head, ink.line((f"{sign.mark} {sign.word}", sign.style))))
    style = ink.PLAIN if way.restores else ink.DANGER if way.applies else ink.QUIET
    lines += [*ink.wrapped(ink.line((way.why, style)), width), ink.BLANK]
    if not way.applies:
        return lines
    lines += _price(view, way, width)
    return [*lines, ink.BLANK, *_steps(view, way, assessment, width)]


def _price(view: View, way: WayBack, width: int) -> list[Content]:
    lines = [ink.heading("Price"), *ink.wrapped(_price_said(way), width)]
    if way.loss is not None and way.loss.tables:
        lines += [ink.BLANK, *loss_table(way.loss, width)]
    if way.loss is not None:
        counted = datetime.fromisoformat(way.loss.counted_at)
        method = f"Counted {words.at(counted, seconds=True)}: {way.loss.method}"
        lines += ink.paragraphs([method, *way.loss.remarks], width, ink.QUIET)
    lines += blocks.consequences(_beyond_the_table(way), width)
    wait = reachable(view, way)
    if wait:
        at = words.at(datetime.fromisoformat(way.reachable_at), seconds=True)
        text = Content.assemble(wait, ink.line((f", from {at} on: before then it cannot begin", ink.NOW)))
        lines += ink.wrapped(text, width)
    return lines


def _price_said(way: WayBack) -> Content:
    """The price as it was assessed; what is lost stands before it where the sentence does not say how much."""
    rows = rows_lost(way)
    if rows == 0:
        return ink.line((way.price, ink.GOOD if way.restores else ink.PLAIN)) if way.price else price(way)
    if rows is not None and f"{rows:,}" in way.price:
        return ink.line((f"! {way.price}", ink.DANGER_STRONG))
    return Content.assemble(price(way), ink.line((f"   {way.price}" if way.price else "", ink.DANGER)))


def _beyond_the_table(way: WayBack) -> list[Line]:
    """The details of the price without those that the table of the loss has told already."""
    loss = way.loss
    if loss is None:
        return list(way.lines)
    tables = tuple(f"{table.table}:" for table in loss.tables)
    told = {loss.method, *loss.remarks}
    return [line for line in way.lines if not (line.text.startswith(tables) or {line.text, line.note} & told)]


def loss_table(loss: Loss, width: int) -> list[Content]:
    """Rows by table: new, changed and deleted since the moment."""
    names = max(len("in all"), *(len(table.table) for table in loss.tables))
    figures = [("new", "inserted"), ("changed", "updated"), ("deleted", "deleted")]
    since = words.at(datetime.fromisoformat(loss.since), seconds=True)
    head = "".join(f"{word:>10}" for word, _ in figures)
    lines = [ink.line((f"{'since ' + since:<{max(names, 14)}}{head}", ink.QUIET))]
    for table in loss.tables:
        cells = [(f"{getattr(table, name) or '–':>10}", _figure(getattr(table, name))) for _, name in figures]
        lines.append(ink.line(f"{table.table:<{max(names, 14)}}", *cells))
    return [ink.fit(line, width) for line in lines]


def _figure(rows: int) -> str:
    return ink.DANGER if rows else ink.QUIET


def _steps(view: View, way: WayBack, assessment: Assessment, width: int) -> list[Content]:
    planned = f"{words.planned(way.duration)} in all" if way.duration is not None else ""
    lines = [ink.heading("What will happen, in this order", planned)]
    plan = view.state.plan
    added = rollback_plan(plan, assessment.standing, way.way, number=len(view.state.rollbacks) + 1)
    titles = {phase.id: phase.title for phase in added.phases}
    number = 0
    for phase, steps in groupby(added.steps, key=lambda step: step.phase):
        lines.append(ink.line((titles[phase], ink.QUIET)))
        for step in steps:
            number += 1
            lines += _step(number, step, width)
    return lines


def _step(number: int, step: Step, width: int) -> list[Content]:
    first = ink.line((f"{number:>3} ", ink.QUIET))
    asked = asks(step)
    edge = min(width, blocks.NOTE_EDGE)
    text = Content.assemble(first, ink.line(step.title))
    if text.cell_length + asked.cell_length + 2 <= edge:
        return [ink.sides(text, asked, edge, gap=2)]
    return [*ink.wrapped(ink.line(step.title), width, first=first), *([_below(asked)] if asked else [])]


def _below(asked: Content) -> Content:
    return Content.assemble("      ", asked)


def asks(step: Step) -> Content:
    """What a step will ask before it acts; nothing when it starts by itself."""
    if step.confirmation is None:
        return ink.line(("a person", ink.NOW)) if step.action is None else ink.BLANK
    if step.confirmation.strength is Strength.TYPE:
        return ink.line(("◆ type ", ink.NOW), (step.confirmation.phrase, ink.NOW_STRONG))
    return ink.line(("◆ asks", ink.NOW))
