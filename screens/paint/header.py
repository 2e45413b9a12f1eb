"""The header: where we are (always at the left), the clock (always at the right), and the situation below."""

from textual.content import Content

from console.domain.state import RunStatus
from screens.paint import ink, words
from screens.paint.situation import situation
from screens.view import View

_BADGE_DANGER = "bold $on-danger on $danger"
_BADGE_WATCHING = "bold $background on $quiet"
_BADGE_CALM = "bold $background on $ident"


def badge(view: View) -> Content:
    """The environment, in the colour of danger unless this is a rehearsal."""
    state = view.state
    if state.rehearsal or state.plan.environment == "rehearsal":
        pace = f" ×{state.pace:g}" if state.pace != 1 else ""
        return ink.line((f" REHEARSAL{pace} ", _BADGE_CALM))
    return ink.line((f" {state.plan.environment.upper()} ", _BADGE_DANGER))


def header(view: View, width: int, forecast: Content = ink.BLANK) -> list[Content]:
    """Two lines: the run and its clock; the situation and who drives where."""
    return [_first(view, width, forecast), _second(view, width)]


def _first(view: View, width: int, forecast: Content) -> Content:
    state = view.state
    over = sum(step.over for step in state.steps.values())
    left = [badge(view)]
    if not view.driving:
        left.append(ink.line((" WATCHING ", _BADGE_WATCHING)))
    if state.incident_at is not None:
        since = words.clock((view.now - state.incident_at).total_seconds())
        left.append(ink.line((f" INCIDENT {since} ", _BADGE_DANGER)))
    progress = ink.line((f"{over} of {len(state.steps)}", ink.PLAIN))
    clock = ink.line(("T+ ", ink.QUIET), (words.clock(view.since_start), ink.STRONG))
    right = Content("   ").join([part for part in (forecast, clock) if part])
    head = Content(" ").join(left)
    room = width - head.cell_length - progress.cell_length - right.cell_length - 8
    title = ink.fit(ink.line((state.plan.title, ink.STRONG)), max(room, 0))
    return ink.sides(Content("  ").join([head, *([title] if title else []), progress]), right, width, gap=2)


def _second(view: View, width: int) -> Content:
    now = situation(view)
    text = ink.line((f"{now.sign.mark} ", now.sign.style), (now.text, now.sign.style if now.grave else ink.STRONG))
    with_then = Content.assemble(text, ink.line((f"   {now.then}" if now.then else "", ink.QUIET)))
    people = _people(view)
    hosts = words.hosts(view.state.plan.hosts)
    lefts_and_rights = (
        (with_then, f"{people} · {hosts}" if hosts else people),
        (with_then, people),
        (with_then, ""),
        (text, people),
    )
    for left, right in lefts_and_rights:
        if left.cell_length + len(right) + (3 if right else 0) <= width:
            return ink.sides(left, ink.line((right, ink.QUIET)), width, gap=3)
    return ink.fit(text, width)


def _people(view: View) -> str:
    state = view.state
    if state.status is RunStatus.FINISHED:
        return "closed"
    if not view.driving:
        return f"driven by {state.driver}" if state.driver else "nobody drives"
    return f"driving {state.driver}" if state.driver else "driving"
