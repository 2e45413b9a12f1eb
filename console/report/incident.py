"""The incident's papers: a summary to be posted, and the draft of a post-mortem, from a run's state alone.

What always holds: they say what the record says; what only people know is marked for them to fill in.
"""

from collections.abc import Mapping
from datetime import datetime

from console.domain.impact import noticed
from console.domain.rollback import TITLES
from console.domain.state import RunState
from console.report import incident_facts as facts
from console.report.left_to_do import by_hand
from console.report.markdown import TO_FILL_IN, moment, words
from console.report.postmortem import postmortem

SUMMARY = "incident-summary.md"
POSTMORTEM = "post-mortem.md"


def documents(state: RunState, now: datetime) -> Mapping[str, str]:
    """Both papers as Markdown, by file name, as things stand at `now`."""
    return {SUMMARY: summary(state, now), POSTMORTEM: postmortem(state, now)}


def summary(state: RunState, now: datetime) -> str:
    """The incident on one page: what happened, for how long, what was done, what is left."""
    parts = (
        _heading(state, now),
        ["## What happened", "", *_happened(state)],
        ["## What was done", "", *_done(state)],
        ["## Data", "", *facts.data(state)],
        ["## Who was told", "", *facts.told(state)],
        ["## Left to be done by hand", "", *by_hand(state)],
    )
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _heading(state: RunState, now: datetime) -> list[str]:
    return [
        f"# Incident summary: {words(state.plan.title)}",
        "",
        f"Drafted from the record of the run on {moment(now)}; {TO_FILL_IN} marks what only people know.",
        "",
        f"- **Status:** {facts.standing(state)}",
        f"- **Environment:** {words(state.plan.environment)}{', a rehearsal' if state.rehearsal else ''}",
        f"- **Run:** {words(state.run)}",
        f"- **Impact:** {facts.window(state, now)}",
        f"- **Production now:** {facts.production(state)}",
        f"- **Post-mortem:** {facts.postmortem(state)}",
    ]


def _happened(state: RunState) -> list[str]:
    lines = [
        f"- {moment(each.at)}: declared by {words(each.actor)}: {words(each.reason)}" for each in state.incidents
    ] or ["- No incident was declared in this run."]
    # What was to be noticed is known only while it lasts; afterwards people say what they saw.
    seen = f"{words(noticed(state))} " if state.incident_at is not None and facts.ended_at(state) is None else ""
    return [*lines, f"- What users noticed: {seen}{TO_FILL_IN}"]


def _done(state: RunState) -> list[str]:
    lines = []
    restored = facts.ended_at(state)
    for each in state.rollbacks:
        became = f"given up: {words(each.dropped)}" if each.dropped else "gone to its end" if restored else "under way"
        price = words(each.price) or "none"
        lines.append(f"- {moment(each.at)}: {words(TITLES[each.way])} ({became}). Price as stated: {price}")
    if state.rollback is not None:
        lines.append(f"- Service restored: {moment(restored)}" if restored else "- Service is not restored yet.")
    lines += [
        f"- {moment(each.closed_at)}: closed: {words(each.closing) or 'without words'}"
        for each in state.incidents
        if each.closed_at is not None
    ]
    return lines or ["- Nothing yet."]
