"""The header: where we are (always at the left), the clock (always at the right), and the situation below."""

from textual.content import Content

from console.domain.state import RunStatus
from screens.paint import ink, words
from screens.paint.situation import situation
from screens.view import View

_BADGE_DANGER = "bold $on-danger on $danger"
_BADGE_WATCHING = "bold $background on $quiet"
LEAST_TITLE = 12
"""Cells below which a title says nothing any more."""
ROOM_BETWEEN = 7
"""Cells between the parts of the first line."""
_BADGE_CALM = "bold $background on $ident"


def badge(view: View) -> Content:
    """The environment, in the colour of danger unless this is a rehearsal."""
    state = view.state
    if state.rehearsal or state.plan.environment == "rehearsal":
        pace = f" ×{state.pace:g}" if state.pace != 1 else ""
        return ink.line((f" REHEARSAL{pace} ", _BADGE_CALM))
    return ink.line((f" {state.plan.environment.upper()} ", _BADGE_DANGER))


def header(view: View, width: int, forecast: Content = ink.BLANK) -> list[Content]:
    """Two lines: the run and its clock; the situation. Who drives, and where, stands on the first that has room."""
    for people in _people_and_hosts(view):
        first, fits = _first(view, width, forecast, people)
        if fits:
            return [first, _second(view, width, ())]
    return [_first(view, width, forecast, "")[0], _second(view, width, _people_and_hosts(view))]


def _first(view: View, width: int, forecast: Content, people: str) -> tuple[Content, bool]:
    """The first line, and whether the whole title is on it."""
    state = view.state
    over = sum(step.over for step in state.active)
    progress = ink.line((f"{over} of {len(state.active)}", ink.PLAIN))
    clock = ink.line(("T+ ", ink.QUIET), (words.clock(view.since_start), ink.STRONG))
    who = ink.line((people, ink.QUIET))
    head = Content(" ").join(_badges(view))
    # The incident's clock comes before everything that is only foreseen.
    spare = width - head.cell_length - progress.cell_length - clock.cell_length - forecast.cell_length
    right = Content("   ").join([part for part in (who, forecast if spare >= ROOM_BETWEEN else None, clock) if part])
    room = max(0, width - head.cell_length - progress.cell_length - right.cell_length - 8)
    title = ink.fit(ink.line((state.plan.title, ink.STRONG)), room if room >= LEAST_TITLE else 0)
    left = Content("  ").join([head, *([title] if title else []), progress])
    return ink.sides(left, right, width, gap=2), len(state.plan.title) <= room


def _badges(view: View) -> list[Content]:
    state = view.state
    badges = [badge(view)]
    if not view.driving:
        badges.append(ink.line((" WATCHING ", _BADGE_WATCHING)))
    if state.incident_at is not None:
        since = words.clock((view.now - state.incident_at).total_seconds())
        badges.append(ink.line((f" INCIDENT {since} ", _BADGE_DANGER)))
    return badges


def _second(view: View, width: int, people: tuple[str, ...]) -> Content:
    """The situation, and what of `people` and of what comes then there is room for."""
    now = situation(view)
    text = ink.line((f"{now.sign.mark} ", now.sign.style), (now.text, now.sign.style if now.grave else ink.STRONG))
    with_then = Content.assemble(text, ink.line((f"   {now.then}" if now.then else "", ink.QUIET)))
    choices = [*((with_then, each) for each in people), (with_then, ""), *((text, each) for each in people[-1:])]
    for left, right in choices:
        if left.cell_length + len(right) + (3 if right else 0) <= width:
            return ink.sides(left, ink.line((right, ink.QUIET)), width, gap=3)
    return ink.fit(text, width)


def _people_and_hosts(view: View) -> tuple[str, ...]:
    """Who drives and which hosts are touched, the fullest wording first."""
    people, hosts = _people(view), words.hosts(view.state.plan.hosts)
    return (f"{people} · {hosts}", people) if hosts else (people,)


def _people(view: View) -> str:
    state = view.state
    if state.status is RunStatus.FINISHED:
        return "closed"
    if not view.driving:
        return f"driven by {state.driver}" if state.driver else "nobody drives"
    return f"driving {state.driver}" if state.driver else "driving"
