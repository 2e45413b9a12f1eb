"""The record: the plan's own document, filled in from a run's events, as Markdown.

What people and servers wrote keeps to its line: no note can look like a heading, a box or a signature.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from console.domain import impact
from console.domain.events import Event, Kind
from console.domain.incident import RollbackState
from console.domain.outcome import Section, Tone
from console.domain.plan import DurationRange, TimelineRow
from console.domain.reverted import reverted_words
from console.domain.rollback import TITLES
from console.domain.state import RunState, RunStatus, StepState, StepStatus
from console.domain.untrusted import one_line
from console.report.event_lines import event_line

_BOX = {StepStatus.SUCCEEDED: "[x]", StepStatus.SKIPPED: "[-]", StepStatus.FAILED: "[!]", StepStatus.UNCERTAIN: "[?]"}
_CHRONICLE = frozenset(Kind) - {
    Kind.STEP_PREVIEWED,
    Kind.STEP_PROGRESSED,
    Kind.DEPLOY_OBSERVED,
    Kind.MESSAGE_DRAFTED,
}


def record(state: RunState, events: Sequence[Event]) -> str:
    """The whole record of a run as Markdown; what has not happened stays an empty box."""
    parts = [
        _heading(state),
        _checklist(state),
        _timeline(state),
        _rollback(state),
        _criteria(state),
        _signoffs(state),
        _findings(state),
        _notes(state),
        _chronicle(state, events),
    ]
    return "\n".join(part for part in parts if part).rstrip() + "\n"


def _heading(state: RunState) -> str:
    plan = state.plan
    word = state.outcome.replace("_", " ") or ("not started" if state.status is RunStatus.NOT_STARTED else "open")
    lines = [
        f"# {plan.title}",
        "",
        f"**Run:** {state.run}{' (rehearsal)' if state.rehearsal else ''}  ",
        f"**Environment:** {plan.environment}  ",
        f"**Migration:** {plan.migration.file}  ",
        f"**Started:** {_moment(state.started_at)}  ",
        f"**Ended:** {_moment(state.finished_at)}  ",
        f"**Outcome:** {word}{' — ' + state.outcome_reason if state.outcome_reason else ''}  ",
    ]
    if state.production:
        lines.append(f"**Production:** {state.production}  ")
    if state.incident_at is not None:
        lines.append(f"**Incident:** since {_moment(state.incident_at)}: {state.incident_reason}  ")
    return _text([*lines, ""])


def _checklist(state: RunState) -> str:
    back = {step for rollback in state.rollbacks for step in rollback.steps}
    ours = [step for step in state.steps.values() if step.step.id not in back]
    return _text(["## Checklist", "", *_phases(state, ours, "###")])


def _phases(state: RunState, steps: Sequence[StepState], mark: str) -> Iterable[str]:
    """The steps under the headings of their phases; phases without any are left out."""
    for phase in state.plan.phases:
        of_phase = [step for step in steps if step.step.phase == phase.id]
        if of_phase:
            yield from (f"{mark} {phase.title}", "")
            for step in of_phase:
                yield from _step(step)
            yield ""


def _step(step: StepState) -> Iterable[str]:
    took = f" — {_took(step.elapsed)}" if step.elapsed is not None else ""
    yield f"- {_BOX.get(step.status, '[ ]')} **{step.step.title}**{took}"
    if step.evidence is not None:
        yield f"  - {step.evidence.summary}"
        for section in step.evidence.sections:
            yield from _section(section)
    if step.by in ("hand", "person"):
        yield f"  - done by hand: {step.note}"
    elif step.note:
        yield f"  - {step.note}"
    if step.accepted:
        yield f"  - verification failed and was accepted: {step.accepted}"
    if step.failure is not None and step.status is StepStatus.FAILED:
        yield f"  - **failed:** {step.failure.message} {step.failure.production}".rstrip()
    if step.status is StepStatus.UNCERTAIN:
        yield f"  - **uncertain:** {step.unknown}"


def _section(section: Section) -> Iterable[str]:
    yield f"  - {section.title}"
    for line in section.lines:
        mark = "**" if line.tone is Tone.DANGER else ""
        note = f" — {line.note}" if line.note else ""
        yield f"    - {mark}`{line.text.replace('`', chr(39))}`{mark}{note}"


def _timeline(state: RunState) -> str:
    lines = ["## Timeline", "", "| Phase | Step | Planned | Actual | Status |", "|---|---|---|---|---|"]
    for row in state.plan.timeline:
        actual, status = _row(state, row)
        lines.append(f"| {row.phase} | {row.title} | {_range(row.planned)} | {actual} | {status} |")
    total = _between(state.started_at, state.finished_at)
    lines.append(f"| **Total** | **Complete deployment** | {_range(state.plan.declared_total)} | {total} | |")
    lines += ["", f"Waited for people: {_took(state.waited_for_people)}."]
    if state.pace != 1:
        lines.append(f"Pace {state.pace:g}: the waits that the rehearsal invents were divided by it.")
    return _text([*lines, ""])


def _row(state: RunState, row: TimelineRow) -> tuple[str, str]:
    steps = [state.steps[step] for step in row.steps if step in state.steps]
    starts = [s.started_at for s in steps if s.started_at is not None]
    ends = [s.ended_at for s in steps if s.ended_at is not None]
    if steps and all(s.over for s in steps):
        return _between(min(starts, default=None), max(ends, default=None)), "done"
    if any(s.status is StepStatus.FAILED for s in steps):
        return "", "failed"
    if any(state.set_aside(s.step.id) for s in steps if not s.over):
        return "", "set aside"
    return "", "under way" if starts else "pending"


def _rollback(state: RunState) -> str:
    """The plan's own rollback section, the incidents, and each way back that was gone, with its steps."""
    lines = ["## Rollback", ""]
    for row in state.plan.rollback:
        planned = f" ({_range(row.planned)})" if row.planned is not None else ""
        lines += [f"- {row.title}{planned}", *(f"  - {each}" for each in row.lines)]
    for incident in state.incidents:
        closed = f"; closed {_moment(incident.closed_at)}: {incident.closing}" if incident.closed_at else ""
        lines += ["", f"**Incident:** {_moment(incident.at)}, {incident.actor}: {incident.reason}{closed}"]
    for rollback in state.rollbacks:
        lines += ["", *_way(state, rollback)][lines[-1] == "" :]
    if state.postmortem is not None:
        lines += ["", f"**Post-mortem:** {state.postmortem.date}, {state.postmortem.owner}"]
    if reverted_words(state):
        lines += ["", f"**{reverted_words(state)}**"]
    return _text([*lines, ""]) if len(lines) > 2 else ""


def _way(state: RunState, rollback: RollbackState) -> Iterable[str]:
    yield f"### Way back: {TITLES[rollback.way]}"
    yield ""
    yield f"- chosen {_moment(rollback.at)} by {rollback.actor}{': ' + rollback.reason if rollback.reason else ''}"
    yield f"- price: {rollback.price or 'none'}"
    if rollback.dropped:
        yield f"- **given up:** {rollback.dropped}"
    yield ""
    yield from _phases(state, impact.steps_of(state, rollback), "####")


def _criteria(state: RunState) -> str:
    words = {True: "[x]", False: "[!]", None: "[ ]"}
    lines = ["## Success criteria", ""]
    for criterion in state.criteria.values():
        evidence = f" — {criterion.evidence}" if criterion.evidence else ""
        lines.append(f"- {words[criterion.met]} {criterion.title}{evidence}")
    return _text([*lines, ""])


def _signoffs(state: RunState) -> str:
    lines = ["## Sign-off", ""]
    for signature in state.signoffs.values():
        box = {True: "[x]", False: "[!]", None: "[ ]"}[signature.given]
        who = f"{signature.name or '_________________'} Date: {_moment(signature.at) if signature.at else '_____'}"
        refused = " **refused**" if signature.given is False else ""
        facts = [f"commit {signature.commit[:7]}" if signature.commit else "", signature.how]
        bound = f" ({'; '.join(filter(None, facts))})" if any(facts) else ""
        if signature.void is not None:
            bound += f" — void: {signature.void.name} had signed; {signature.void.reason}"
        note = f" — {signature.note}" if signature.note else ""
        lines.append(f"- {box} **{signature.title}:** {who}{refused}{bound}{note}")
    return _text([*lines, ""])


def _findings(state: RunState) -> str:
    if not state.findings and not state.alerts:
        return ""
    lines = ["## Findings and alerts", ""]
    for finding in state.findings.values():
        waived = f" — went on: {finding.overridden}" if finding.overridden else ""
        lines.append(f"- {finding.severity}: {finding.message} ({finding.code}){waived}")
    for alert in state.alerts.values():
        cleared = f" — cleared: {alert.cleared}" if alert.cleared else ""
        lines.append(f"- {alert.severity} {_moment(alert.at)}: {alert.message}{cleared}")
    return _text([*lines, ""])


def _notes(state: RunState) -> str:
    if not state.notes:
        return ""
    lines = ["## Notes", ""]
    lines += [f"- {note.at:%H:%M:%S} {note.actor}: {note.text}" for note in state.notes]
    return _text([*lines, ""])


def _chronicle(state: RunState, events: Sequence[Event]) -> str:
    lines = ["## Chronicle (UTC)", ""]
    lines += [f"- {event_line(state.plan, event)}" for event in events if event.kind in _CHRONICLE]
    return _text([*lines, ""])


def _text(lines: Iterable[str]) -> str:
    return "\n".join(one_line(each) for each in lines)


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at is not None else "—"


def _between(start: datetime | None, end: datetime | None) -> str:
    return _took((end - start).total_seconds()) if start is not None and end is not None else ""


def _took(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)}:{int(seconds % 60):02d} min"


def _range(planned: DurationRange) -> str:
    low, high = planned.low / 60, planned.high / 60
    return f"{low:g} min" if low == high else f"{low:g}–{high:g} min"
