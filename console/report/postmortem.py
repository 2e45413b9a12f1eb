"""The post-mortem's draft: impact, timeline, what was tried, evidence, and the questions that are left for people.

What always holds: it tells of what systems and steps did, not of whose fault it was.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from console.domain import impact
from console.domain.rollback import TITLES
from console.domain.state import RunState, StepState, StepStatus
from console.report import incident_facts as facts
from console.report.left_to_do import by_hand
from console.report.markdown import TO_FILL_IN, lasting, moment, table, words

_Entry = tuple[datetime, str]
_ENDED = {
    StepStatus.SUCCEEDED: "done",
    StepStatus.FAILED: "**failed**",
    StepStatus.SKIPPED: "left out",
    StepStatus.UNCERTAIN: "uncertain",
}

_A_WHILE = 60.0


def postmortem(state: RunState, now: datetime) -> str:
    """The draft as Markdown, as things stand at `now`."""
    parts = (
        _heading(state, now),
        ["## Summary", "", *_summary(state, now)],
        ["## Impact", "", *_impact(state, now)],
        ["## Timeline", "", *_timeline(state)],
        ["## What was tried", "", *facts.ways(state)],
        ["## Data", "", *facts.data(state)],
        ["## Evidence", "", *facts.evidence(state)],
        ["## Who was told", "", *facts.told(state)],
        ["## Left to be done by hand", "", *by_hand(state)],
        ["## Open questions", "", *_questions(state)],
        ["## What we change", "", *_changes()],
    )
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _heading(state: RunState, now: datetime) -> list[str]:
    owner = words(state.postmortem.owner) if state.postmortem is not None else TO_FILL_IN
    day = words(state.postmortem.date) if state.postmortem is not None else TO_FILL_IN
    return [
        f"# Post-mortem: {words(state.plan.title)}",
        "",
        f"- **Owner:** {owner}",
        f"- **Date:** {day}",
        f"- **Present:** {TO_FILL_IN}",
        f"- **Run:** {words(state.run)} against {words(state.plan.environment)}"
        f"{', a rehearsal' if state.rehearsal else ''}",
        f"- **Status:** {facts.standing(state)}",
        f"- **Production now:** {facts.production(state)}",
        "",
        f"Drafted from the record of the run on {moment(now)}; {TO_FILL_IN} marks what only people know. Everybody did "
        "what seemed right with what they knew then: this asks what let it happen, not who did.",
    ]


def _summary(state: RunState, now: datetime) -> list[str]:
    reasons = "; ".join(words(each.reason) for each in state.incidents)
    lines = [f"- Why an incident was declared: {reasons or 'none was declared'}"]
    harmed, restored = impact.harmed_at(state), facts.ended_at(state)
    if harmed is not None:
        length = lasting(((restored or now) - harmed).total_seconds())
        lines.append(f"- For how long users could notice: {length}{' at most' if restored else ' so far'}")
    if state.rollback is not None:
        came = "How service came back" if restored else "How service is to come back"
        lines.append(f"- {came}: {words(TITLES[state.rollback.way])}")
        lines.append(f"- What it cost: {words(impact.lost(state, state.rollback))}")
    return [*lines, f"- In a few sentences: {TO_FILL_IN}"]


def _impact(state: RunState, now: datetime) -> list[str]:
    harmed, sign = impact.harmed_at(state), impact.first_sign(state)
    declared = state.incidents[0].at if state.incidents else None
    chosen = state.rollback.at if state.rollback is not None else None
    restored = facts.ended_at(state)
    closed = state.incidents[-1].closed_at if state.incidents else None
    rows = [
        ("The release began to reach production", moment(harmed), ""),
        ("First sign", moment(sign), _after(harmed, sign)),
        ("Incident declared", moment(declared), _after(sign, declared)),
        ("Way back chosen", moment(chosen), _after(declared, chosen)),
        ("Service restored", moment(restored), _after(chosen or declared, restored)),
        ("Incident closed", moment(closed), _after(restored, closed)),
    ]
    return [
        f"- **Window:** {facts.window(state, now)}",
        f"- **What users noticed:** {TO_FILL_IN}",
        "",
        *table(("What", "When", "After the one above"), rows),
    ]


def _after(earlier: datetime | None, later: datetime | None) -> str:
    """How long the second came after the first; empty when it came before it, or one of them never came."""
    if earlier is None or later is None or later < earlier:
        return ""
    return lasting((later - earlier).total_seconds())


def _timeline(state: RunState) -> list[str]:
    entries = sorted(_entries(state), key=lambda entry: entry[0])
    start = state.started_at or state.created_at
    rows = [(f"{at:%m-%d %H:%M:%S}", _since(start, at), text) for at, text in entries]
    return [
        "Times are UTC; T+ counts from the start of the run. The whole chronicle stands in the run's record.",
        "",
        *table(("UTC", "T+", "What"), rows),
    ]


def _since(start: datetime | None, at: datetime) -> str:
    if start is None:
        return "—"
    sign, span = ("+", at - start) if at >= start else ("-", start - at)
    minutes, seconds = divmod(int(span / timedelta(seconds=1)), 60)
    return f"T{sign}{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"


def _entries(state: RunState) -> Iterator[_Entry]:
    if state.started_at is not None:
        yield state.started_at, "The run began."
    for step in state.steps.values():
        yield from _step_entries(step)
    for alert in state.alerts.values():
        if not _told_by_its_step(state, alert.id):
            yield alert.at, f"Alert: {words(alert.message)}"
    for incident in state.incidents:
        yield incident.at, f"**Incident declared** by {words(incident.actor)}: {words(incident.reason)}"
        if incident.closed_at is not None:
            yield incident.closed_at, f"**Incident closed:** {words(incident.closing) or 'without words'}"
    for rollback in state.rollbacks:
        yield rollback.at, f"**Way back chosen:** {words(TITLES[rollback.way])}"
    restored = impact.restored_at(state)
    if restored is not None:
        yield restored, "**Service restored.**"
    for message in state.messages.values():
        for each in message.deliveries.values():
            arrived = f"could not be told: {words(each.error)}" if each.error else "told"
            yield each.at, f"{words(each.channel)} {arrived}: {words(message.subject)}"
    for note in state.notes:
        yield note.at, f"Note of {words(note.actor)}: {words(note.text)}"
    if state.finished_at is not None:
        yield state.finished_at, f"The run was closed: {words(state.outcome.replace('_', ' '))}."


def _step_entries(step: StepState) -> Iterator[_Entry]:
    """A line when it ended, and one when it began where that was a while before, or it has not ended."""
    title = words(step.step.title)
    again = f" (attempt {step.attempt})" if step.attempt > 1 else ""
    ended = step.ended_at is not None and step.status in _ENDED
    if step.started_at is not None and not (ended and step.elapsed is not None and step.elapsed < _A_WHILE):
        yield step.started_at, f"{title}: begun{again}"
    if step.ended_at is not None and ended:
        took = f" in {lasting(step.elapsed)}" if step.elapsed is not None and step.elapsed >= 1 else ""
        said = step.failure.message if step.failure is not None else step.note
        if step.evidence is not None and step.status is StepStatus.SUCCEEDED:
            said = step.evidence.summary
        yield step.ended_at, f"{title}: {_ENDED[step.status]}{again}{took}{f': {words(said)}' if said else ''}"


def _told_by_its_step(state: RunState, alert: str) -> bool:
    """Whether the timeline has this alert as the failure of its step; of an earlier attempt it has not."""
    step = state.steps.get(alert.removeprefix("step:"))
    return alert.startswith("step:") and step is not None and step.status is StepStatus.FAILED


def _questions(state: RunState) -> list[str]:
    asked = [f"- {each} {TO_FILL_IN}" for each in _raised_by_the_record(state)]
    always = (
        "What let it happen, and why did no earlier step or rehearsal show it?",
        "What told us, and what could have told us sooner?",
        "What went well, and what did we only have luck with?",
        "What would have made it shorter?",
    )
    return [*asked, *(f"- {each} {TO_FILL_IN}" for each in always)]


def _raised_by_the_record(state: RunState) -> Iterator[str]:
    """What the run left open or went past, as questions."""
    for step in state.steps.values():
        title = f"“{words(step.step.title)}”"
        if step.status is StepStatus.UNCERTAIN:
            yield f"Did {title} take effect? The record does not say."
        if step.accepted:
            yield f"{title} was accepted although its verification failed ({words(step.accepted)}). Was that right?"
        if step.overridden_guards:
            guards = ", ".join(words(_title(state, each)) for each in step.overridden_guards)
            yield f"{title} went on without {guards}. What came of that?"
    for rollback in state.rollbacks:
        if rollback.dropped:
            yield f"Why could “{words(TITLES[rollback.way])}” not be gone to its end ({words(rollback.dropped)})?"
    for alert in state.alerts.values():
        if not alert.cleared:
            yield f"What came of the alert “{words(alert.message)}”?"
    for finding in state.findings.values():
        if finding.overridden:
            yield f"“{words(finding.message)}” was known beforehand ({words(finding.overridden)}). Did it play a part?"


def _title(state: RunState, step_id: str) -> str:
    step = state.steps.get(step_id)
    return step.step.title if step is not None else step_id


def _changes() -> list[str]:
    return table(("What", "Who", "Until"), [(TO_FILL_IN, TO_FILL_IN, TO_FILL_IN)])
