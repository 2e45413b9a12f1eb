"""A way back that is gone: how long it takes beside the plan, by when, and at its end what it has left.

What always holds: what is left to be done by hand is named at the end, the revert that must be reverted before all.
"""

from datetime import datetime, timedelta

from textual.content import Content

from console.domain.impact import restored_at
from console.domain.plan import DurationRange
from console.domain.reverted import reverted_words
from console.domain.rollback import TITLES
from console.domain.rollback_plan import planned
from console.domain.state import RunState, RunStatus, StepStatus
from console.domain.summary import production_sentence
from console.domain.timeline import comparable
from screens.paint import ink, words
from screens.view import View


def price(rows: int | None, said: str) -> Content:
    """What a way costs, as it was stated when it was chosen."""
    if rows:
        lost = (f"! {words.count(rows, 'row')} lost", ink.DANGER_STRONG)
        return ink.line(lost, (f"  {said}" if said else "", ink.QUIET))
    return ink.line((said or "nothing is lost", ink.GOOD))


def span_of(state: RunState) -> DurationRange | None:
    """How long the way that is gone was planned to take: as it was offered, else as the plan has it. In seconds."""
    rollback = state.rollback
    if rollback is None:
        return None
    offer = state.assessment.offer(rollback.way) if state.assessment is not None else None
    return offer.duration if offer is not None and offer.duration is not None else planned(state.plan, rollback.way)


def took(view: View) -> Content:
    """How long it has taken until production was back, beside the plan: `2:10 of 4–9 min`, and what is beyond it."""
    rollback, span = view.state.rollback, span_of(view.state)
    if rollback is None:
        return ink.BLANK
    until = restored_at(view.state) or _ended(view.state) or view.state.finished_at or view.now
    seconds = max((until - rollback.at).total_seconds(), 0.0)
    late = span is not None and comparable(view.state) and seconds > span.high
    of = f" of {words.planned(span)}" if span is not None else ""
    beyond = f"  ! {words.minutes(seconds - span.high)} late" if span is not None and late else ""
    style = ink.NOW_STRONG if late else ink.STRONG
    return ink.line((words.duration(seconds), style), (of, ink.QUIET), (beyond, ink.NOW))


def _ended(state: RunState) -> datetime | None:
    """When the last step of the way ended; None while it is gone."""
    ends = [step.ended_at for step in state.active if step.ended_at is not None]
    return max(ends, default=None) if state.complete else None


def back_at(view: View) -> Content:
    """For the header: by when production is to be back, when it was due, or since when it is.

    A rehearsal with a pace of its own foresees nothing.
    """
    rollback, span = view.state.rollback, span_of(view.state)
    if rollback is None or view.state.status is RunStatus.FINISHED:
        return ink.BLANK
    ended = restored_at(view.state) or _ended(view.state)
    if ended is not None:
        return ink.line(("back since ", ink.QUIET), (words.at(ended), ink.STRONG))
    if span is None or not comparable(view.state):
        return ink.BLANK
    due = rollback.at + timedelta(seconds=span.high)
    if view.now <= due:
        return ink.line(("back by ", ink.QUIET), (words.at(due), ink.STRONG))
    late = words.minutes((view.now - due).total_seconds())
    return ink.line(("was due back ", ink.QUIET), (words.at(due), ink.STRONG), (f" +{late}", ink.NOW))


def ending(view: View, width: int) -> list[Content]:
    """At the end of a way: what production is, what is left by hand, what the next release has to know."""
    state = view.state
    rollback = state.rollback
    if rollback is None:
        return []
    title = ink.line((f"{words.DONE.mark} Rolled back: {TITLES[rollback.way]}", f"bold {ink.GOOD}"))
    post = state.postmortem
    production = [("Production", ink.line(state.production or production_sentence(state)))]
    rows = [
        ("Price", price(rollback.rows, rollback.price)),
        ("Took", took(view)),
        ("Incident", ink.line(words.duration(view.since_incident), ("  from the declaration on", ink.QUIET))),
    ]
    if post is not None:
        rows.append(("Post-mortem", ink.line(f"{post.date}, {post.owner}")))
    rows += [("Left out", ink.line(step.step.title)) for step in state.active if step.status is StepStatus.SKIPPED]
    rows += [("Accepted", ink.line(f"{s.step.title}: {s.accepted}")) for s in state.active if s.accepted]
    lines = [*ink.wrapped(title, width), ink.BLANK, *ink.columns(production, width), ink.BLANK]
    return [*lines, *left_to_do(state, width), ink.BLANK, *ink.columns(rows, width)]


def left_to_do(state: RunState, width: int) -> list[Content]:
    """What a person still has to see to, a line or more each."""
    left = left_by_hand(state)
    lines = [ink.heading("Left to be done")]
    for text in left:
        lines += ink.wrapped(ink.line(text), width, first=ink.line(("! ", ink.NOW_STRONG)))
    return lines if left else [*lines, ink.line(("nothing that the console knows of", ink.QUIET))]


def left_by_hand(state: RunState) -> list[str]:
    """What a person still has to see to: a revert to be reverted, rows to decide, words that did not arrive."""
    left = [reverted_words(state)] if reverted_words(state) else []
    for step in state.active:
        undecided = state.evidence(step.step.id).get("undecided")
        if isinstance(undecided, list) and undecided:
            left.append(f"{words.count(len(undecided), 'row')} could not be decided: see “{step.step.title}”.")
    waiting = sum(1 for message in state.messages.values() if message.waits)
    undelivered = sum(1 for message in state.messages.values() if message.undelivered)
    if waiting:
        left.append(f"{words.count(waiting, 'message')} to the stakeholders not sent yet.")
    if undelivered:
        left.append(f"{words.count(undelivered, 'message')} did not arrive on every channel.")
    return left
