"""The header: where we are (always at the left), the clock (always at the right), and the situation below.

What must not be overlooked of others (nobody drives any more, the shared record is lost) stands on a third line.
"""

from textual.content import Content

from screens.paint import ink, words
from screens.paint.company import notice, people
from screens.paint.situation import situation
from screens.view import View

_BADGE_DANGER = "bold $on-danger on $danger"
_BADGE_PAST = "bold $background on $now"
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
    """The run and its clock; the situation; what is to be told of others, where there is something.

    Who drives, and where, stands on the first line that has room.
    """
    told = notice(view, width)
    return [*_two_lines(view, width, forecast), *([told] if told is not None else [])]


def _two_lines(view: View, width: int, forecast: Content) -> list[Content]:
    for who in _people_and_hosts(view):
        first, fits = _first(view, width, forecast, who)
        if fits:
            return [first, _second(view, width, ())]
    return [_first(view, width, forecast, "")[0], _second(view, width, _people_and_hosts(view))]


def _first(view: View, width: int, forecast: Content, who: str) -> tuple[Content, bool]:
    """The first line, and whether the whole title is on it."""
    state = view.state
    over = sum(step.over for step in state.active)
    progress = ink.line((f"{over} of {len(state.active)}", ink.PLAIN))
    clock = ink.line(("T+ ", ink.QUIET), (words.clock(view.since_start), ink.STRONG))
    beside = ink.line((who, ink.QUIET))
    head = Content(" ").join(_badges(view))
    # The incident's clock comes before everything that is only foreseen.
    spare = width - head.cell_length - progress.cell_length - clock.cell_length - forecast.cell_length
    right = Content("   ").join([part for part in (beside, forecast if spare >= ROOM_BETWEEN else None, clock) if part])
    room = max(0, width - head.cell_length - progress.cell_length - right.cell_length - 8)
    title = ink.fit(ink.line((state.plan.title, ink.STRONG)), room if room >= LEAST_TITLE else 0)
    left = Content("  ").join([head, *([title] if title else []), progress])
    return ink.sides(left, right, width, gap=2), len(state.plan.title) <= room


def _badges(view: View) -> list[Content]:
    state = view.state
    badges = [badge(view)]
    if view.past is not None:
        badges.append(ink.line((f" ◀ PAST {words.at(view.past.at, seconds=True)} ", _BADGE_PAST)))
    elif not view.driving:
        badges.append(ink.line((" WATCHING ", _BADGE_WATCHING)))
    if state.incident_at is not None:
        since = words.clock((view.now - state.incident_at).total_seconds())
        badges.append(ink.line((f" INCIDENT {since} ", _BADGE_DANGER)))
    return badges


def _second(view: View, width: int, who: tuple[str, ...]) -> Content:
    """The situation, and what of `who` and of what comes then there is room for."""
    now = situation(view)
    text = ink.line((f"{now.sign.mark} ", now.sign.style), (now.text, now.sign.style if now.grave else ink.STRONG))
    with_then = Content.assemble(text, ink.line((f"   {now.then}" if now.then else "", ink.QUIET)))
    choices = [*((with_then, each) for each in who), (with_then, ""), *((text, each) for each in who[-1:])]
    for left, right in choices:
        if left.cell_length + len(right) + (3 if right else 0) <= width:
            return ink.sides(left, ink.line((right, ink.QUIET)), width, gap=3)
    return ink.fit(text, width)


def _people_and_hosts(view: View) -> tuple[str, ...]:
    """Who drives and which hosts are touched, the fullest wording first."""
    wordings, hosts = people(view), words.hosts(view.state.plan.hosts)
    return (*((f"{each} · {hosts}" for each in wordings[:2]) if hosts else ()), *wordings)
