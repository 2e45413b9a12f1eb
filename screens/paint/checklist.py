"""The checklist: phases and their steps, what is over collapsed, what is now expanded."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from console.domain.plan import DurationRange, Phase, StepKind
from console.domain.state import StepState, StepStatus
from screens.paint import ink, words
from screens.view import View


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the checklist; `step` is the step that a click on it selects."""

    step: str
    content: Content
    is_step: bool


def rows(view: View, selected: str, width: int, height: int) -> list[Row]:
    """The lines of the checklist: what is now is expanded, and what comes next as far as `height` lines allow."""
    phases = [(phase, _steps(view, phase)) for phase in view.state.plan.phases]
    phases = [(phase, steps) for phase, steps in phases if steps]
    expanded = _expanded_phases(view, phases, selected, height)
    result: list[Row] = []
    for phase, steps in phases:
        result.append(Row(_entry(steps), _phase_line(view, phase, steps, width), is_step=False))
        if phase.id in expanded:
            result.extend(Row(s.step.id, _step_line(view, s, width), is_step=True) for s in steps)
    return result


def _expanded_phases(
    view: View, phases: Sequence[tuple[Phase, Sequence[StepState]]], selected: str, height: int
) -> set[str]:
    expanded = {phase.id for phase, steps in phases if _lively(view, steps, selected)}
    room = height - len(phases) - sum(len(steps) for phase, steps in phases if phase.id in expanded)
    settled = {phase.id for phase, steps in phases if all(s.over or _aside(view, s) for s in steps)}
    upcoming = [(phase, steps) for phase, steps in phases if phase.id not in settled]
    over = [(phase, steps) for phase, steps in reversed(phases) if phase.id in settled]
    for phase, steps in (*upcoming, *over):
        if phase.id not in expanded:
            if len(steps) > room:
                break
            expanded.add(phase.id)
            room -= len(steps)
    return expanded


def _steps(view: View, phase: Phase) -> list[StepState]:
    return [s for s in view.state.steps.values() if s.step.phase == phase.id]


def _entry(steps: Sequence[StepState]) -> str:
    """The step that stands for its phase: the first that is not over, else the first."""
    return next((s for s in steps if not s.over), steps[0]).step.id


def _lively(view: View, steps: Sequence[StepState], selected: str) -> bool:
    lively = {StepStatus.RUNNING, StepStatus.FAILED, StepStatus.UNCERTAIN, StepStatus.ARMED}
    if any(s.step.id == selected or (s.status in lively and not _aside(view, s)) for s in steps):
        return True
    current = view.current
    return current is not None and any(s.step.id == current.step.id for s in steps)


def phase_sign(view: View, steps: Sequence[StepState]) -> words.Sign:
    """The sign of a phase: its most pressing step's, or done, or still to come."""
    signs = [words.sign_of(s, view.state) for s in steps]
    for sign in (words.FAILED, words.STOPPED, words.UNCERTAIN, words.STOPPING, words.RUNNING, words.YOURS, words.ARMED):
        if sign in signs:
            return sign
    if all(s.over for s in steps):
        return words.SKIPPED if all(s.status is StepStatus.SKIPPED for s in steps) else words.DONE
    return words.ASIDE if all(s.over or view.state.set_aside(s.step.id) for s in steps) else words.OPEN


def _phase_line(view: View, phase: Phase, steps: Sequence[StepState], width: int) -> Content:
    sign = phase_sign(view, steps)
    over = all(s.over for s in steps)
    lively = sign not in (words.OPEN, words.DONE, words.SKIPPED, words.ASIDE)
    begun = any(s.over for s in steps)
    style = ink.STRONG if lively else ink.PLAIN if over or begun else ink.QUIET
    right_style = sign.style if lively else ink.QUIET
    right = _phase_time(view, phase, steps)
    return ink.sides(
        ink.line((sign.mark, sign.style), " ", (phase.title, style)), ink.line((right, right_style)), width
    )


def _phase_time(view: View, phase: Phase, steps: Sequence[StepState]) -> str:
    if phase_sign(view, steps) is words.ASIDE:
        return words.ASIDE.word
    if all(s.step.kind is StepKind.SIGNOFF for s in steps):
        return f"{sum(s.over for s in steps)} / {len(steps)}"
    starts = [s.started_at for s in steps if s.started_at is not None]
    if not starts:
        if all(s.over for s in steps):
            return words.SKIPPED.word
        return words.planned(_planned(view, phase, steps))
    ends = [s.ended_at for s in steps if s.ended_at is not None]
    if phase_sign(view, steps) is words.OPEN:
        return f"{sum(s.over for s in steps)} of {len(steps)}"
    until = max(ends) if all(s.over for s in steps) and ends else view.state.finished_at or view.now
    return words.duration((until - min(starts)).total_seconds())


def _planned(view: View, phase: Phase, steps: Sequence[StepState]) -> DurationRange | None:
    """The phase's planned range: the rows of the plan's timeline that its steps make."""
    own = {s.step.id for s in steps}
    ranges = [row.planned for row in view.state.plan.timeline if row.steps and set(row.steps) <= own]
    if not ranges:
        return None
    total = ranges[0]
    for further in ranges[1:]:
        total = total + further
    return total


def _step_line(view: View, step: StepState, width: int) -> Content:
    sign = words.sign_of(step, view.state)
    quiet = sign in (words.OPEN, words.SKIPPED) or _aside(view, step)
    strong = sign in (words.RUNNING, words.STOPPING, words.YOURS, words.FAILED, words.STOPPED, words.UNCERTAIN)
    style = ink.QUIET if quiet else ink.STRONG if strong else ink.PLAIN
    right = step_time(view, step)
    right_style = ink.QUIET if quiet or sign is words.DONE else sign.style
    left = ink.line("  ", (sign.mark, sign.style), " ", (step.step.title, style))
    return ink.sides(left, ink.line((right, right_style)), width)


def _aside(view: View, step: StepState) -> bool:
    return not step.over and view.state.set_aside(step.step.id)


def step_time(view: View, step: StepState) -> str:
    """The right column of a step: how long it took, or what there is to say instead."""
    seconds = words.elapsed(step, view.now)
    if _aside(view, step):
        return words.ASIDE.word
    if step.status is StepStatus.RUNNING:
        return words.duration(seconds or 0.0)
    if step.status is StepStatus.SUCCEEDED and step.step.kind is StepKind.SIGNOFF:
        return words.at(step.ended_at)
    if step.status is StepStatus.SUCCEEDED:
        took = words.duration(seconds) if seconds is not None else ""
        return "by hand" if step.by == "hand" else took
    if words.sign_of(step, view.state) is words.YOURS:
        return "your turn" if view.driving else "waits"
    if step.status in (StepStatus.WAITING, StepStatus.READY):
        return words.planned(step.step.planned)
    return words.sign_of(step, view.state).word
