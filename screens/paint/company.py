"""Who else is there, in words: who drives, what became of them, whether the shared record is reached, who watches."""

from collections.abc import Sequence
from datetime import datetime

from textual.content import Content

from console.domain.shared import Observer
from console.domain.state import RunStatus
from console.ports import DriverStatus, Driving, SharedStatus
from screens.company import Company
from screens.paint import ink, words
from screens.view import View

ANEW = 60.0
"""Seconds for which it is said that somebody else began to drive."""

NAMED = 4
"""How many of those who watch are named in a line."""


def notice(view: View, width: int) -> Content | None:
    """The line that stands under every header when there is something about others that must not be overlooked.

    None when there is not.
    """
    told = _shared(view) or (None if view.driving else _driver(view, width))
    if told is None:
        return None
    sign, text, more = told
    whole = Content.assemble(
        ink.line((f"{sign.mark} {text}", sign.style)), ink.line((f"  {more}" if more else "", ink.QUIET))
    )
    return ink.fit(whole, width)


def people(view: View) -> tuple[str, ...]:
    """Who drives and who watches, the fullest wording first."""
    state, company = view.state, view.company
    if state.status is RunStatus.FINISHED:
        return ("closed",)
    if not view.driving:
        return (_drives(company.driver, state.driver),)
    drives = f"driving {state.driver}" if state.driver else "driving"
    watching = company.watched.observers if company.watched is not None else ()
    if not watching:
        return (drives,)
    number = f"{len(watching)} watch"
    return (f"{drives} · {_names(watching)}", f"{drives} · {number}", number)


def watching_lines(company: Company, width: int) -> list[Content]:
    """Everybody who watches, a line each; nothing where that is not known."""
    if company.watched is None:
        return []
    observers = company.watched.observers
    lines = [ink.heading("Watching now"), *(_observer(each, width) for each in observers)]
    return [*lines, *(() if observers else (ink.line(("    nobody", ink.QUIET)),)), ink.BLANK]


Told = tuple[words.Sign, str, str]
_LOST = words.Sign("✗", ink.DANGER_STRONG, "lost")
_GONE = words.Sign("○", ink.NOW_STRONG, "nobody drives")
_NEW = words.Sign("▶", ink.NOW, "drives")


def _shared(view: View) -> Told | None:
    """That the shared record is not reached, since when, and what follows from it."""
    lost, since = view.company.unreached, view.company.lost_since
    if lost is None or since is None:
        return None
    if view.driving:
        return _LOST, f"Shared record lost {_ago(view, since)}{_waiting(lost)}", _consequence(view) or lost.reason
    return _LOST, f"The shared record is not reached {_ago(view, since)}: what is shown may be old.", lost.reason


def _waiting(lost: SharedStatus) -> str:
    return f" · {words.count(lost.unsent, 'event')} {'waits' if lost.unsent == 1 else 'wait'}" if lost.unsent else ""


def _consequence(view: View) -> str:
    apart = view.state.apart
    if apart is None:
        return ""
    if apart.waived:
        return "You said that you alone drive."
    return "What changes production waits."


def _driver(view: View, width: int) -> Told | None:
    """What became of whoever drives a run that is watched and is not over; in short where the sentence has no room."""
    driver, changed = view.company.driver, view.company.changed_at
    if driver is None or view.state.status is RunStatus.FINISHED:
        return None
    whole = len(driver.text) + 2 <= width
    match driver.driving:
        case Driving.DIED:
            return _LOST, driver.text if whole else f"Nobody drives: the console of {driver.actor} died.", ""
        case Driving.APART:
            short = f"{driver.actor} is not at the shared record: they may go on elsewhere."
            return _GONE, driver.text if whole else short, ""
        case Driving.LEFT:
            return _GONE, driver.text if whole else f"Nobody drives: {driver.actor} left.", ""
        case Driving.DRIVES if changed is not None and _age(view, changed) < ANEW:
            _, colon, how = driver.text.rpartition(": ")
            short = f"{driver.actor} drives: {how}" if colon else f"{driver.actor} drives."
            return _NEW, driver.text if whole else short, ""
    return None


def _drives(driver: DriverStatus | None, known: str) -> str:
    """Who drives, in a few words; `known` is what the record says, before anything was told."""
    match driver:
        case DriverStatus(driving=Driving.DRIVES, actor=actor):
            return f"driven by {actor}"
        case DriverStatus(driving=Driving.APART, actor=actor):
            return f"{actor} is not seen"
        case DriverStatus(driving=Driving.UNKNOWN):
            return f"driven by {known}?" if known else "who drives is not seen"
        case DriverStatus():
            return "nobody drives"
    return f"driven by {known}" if known else "nobody drives"


def _names(observers: Sequence[Observer]) -> str:
    named = ", ".join(dict.fromkeys(each.person or each.login for each in observers[:NAMED]))
    rest = f" and {len(observers) - NAMED} more" if len(observers) > NAMED else ""
    return f"{len(observers)} watch: {named}{rest}"


def _observer(observer: Observer, width: int) -> Content:
    since = f"  as {observer.login}, since {words.at(observer.since, seconds=True)}"
    return ink.fit(ink.line("    ", observer.person or observer.login, (since, ink.QUIET)), width)


def _ago(view: View, since: datetime) -> str:
    """Since when; how long ago, where what is shown is now."""
    if view.driving:
        return f"{words.minutes(_age(view, since))} ago"
    return f"since {words.at(since, seconds=True)}"


def _age(view: View, since: datetime) -> float:
    return max((view.now - since).total_seconds(), 0.0)
