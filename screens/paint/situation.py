"""The situation in one sentence: where are we, is it going well, what is next."""

from dataclasses import dataclass, replace

from console.domain.rollback import TITLES
from console.domain.schedule import due
from console.domain.state import RunStatus, StepState, StepStatus
from screens.paint import ink, words
from screens.view import View

OFFER = "i declares an incident"


@dataclass(frozen=True, slots=True)
class Situation:
    """A sign, one sentence, and quietly what comes next."""

    sign: words.Sign
    text: str
    then: str = ""

    @property
    def grave(self) -> bool:
        """Whether something is wrong."""
        return ink.DANGER in self.sign.style


_HELD = words.Sign("‖", ink.NOW_STRONG, "held")
_INCIDENT = words.Sign("!", ink.DANGER_STRONG, "incident")


def situation(view: View) -> Situation:
    """The most pressing thing there is to say about a run."""
    state = view.state
    if state.status is RunStatus.FINISHED:
        return _finished(view)
    if view.record_failed:
        return Situation(_INCIDENT, f"The record cannot be written: {view.record_failed}")
    if state.status is RunStatus.NOT_STARTED:
        steps = words.count(len(state.steps), "step")
        return Situation(words.OPEN, f"Not started. {steps}, nothing has been touched.", _then(view, current=True))
    trouble = _trouble(view)
    if state.incident_at is not None:
        return _incident(view, trouble)
    offer = _offer(view)
    if trouble is not None:
        return replace(trouble, then=offer.then if offer is not None else "")
    if offer is not None:
        return offer
    if state.running:
        return _running(view, state.running)
    if state.status is RunStatus.HELD:
        reason = f": {state.held_reason}" if state.held_reason else ""
        return Situation(_HELD, f"Held{reason}. No step starts by itself.", _then(view, current=True))
    if state.attention:
        first, *others = state.attention
        more = f" and {words.count(len(others), 'other')}" if others else ""
        if state.kept_by_guard(first):
            return Situation(words.YOURS, f"Waits for {view.person}: {first.step.title}, whose guard was left out")
        return Situation(words.YOURS, f"Waits for {view.person}: {first.step.title}{more}", _then(view))
    starting = [state.steps[step] for step in due(state)]
    text = f"About to start: {starting[0].step.title}" if starting else "Between two steps"
    return Situation(words.ARMED, text, "" if starting else _then(view, current=True))


def _incident(view: View, trouble: Situation | None) -> Situation:
    """An incident is open: why, and how far the way back is, where one is gone."""
    state = view.state
    text = f"Incident: {state.incident_reason or 'declared without words'}"
    if state.rollback is None:
        return Situation(_INCIDENT, text, trouble.text if trouble is not None else "")
    if trouble is not None:
        return trouble
    if state.complete:
        return Situation(words.DONE, f"Back: {TITLES[state.rollback.way]}", text)
    return Situation(words.BACK, f"Going back: {TITLES[state.rollback.way]}", text)


def _offer(view: View) -> Situation | None:
    """An alert that may be an incident: a person decides."""
    offers = [alert for alert in view.state.alerts.values() if alert.offer == "incident" and not alert.cleared]
    if not offers or view.state.incident_at is not None:
        return None
    return Situation(words.DANGER, first_line(offers[-1].message), OFFER if view.driving else "this may be an incident")


def _finished(view: View) -> Situation:
    state = view.state
    reason = f": {state.outcome_reason}" if state.outcome_reason else ""
    sign = words.outcome(state.outcome)
    outcome = state.outcome.replace("_", " ")
    return Situation(sign, f"{outcome.capitalize()} {words.at(state.finished_at)}{reason}", state.production)


def _trouble(view: View) -> Situation | None:
    for step in view.state.attention:
        if step.status is StepStatus.FAILED and step.failure is not None:
            verb = "was stopped" if step.failure.stopped else "failed"
            return Situation(words.FAILED, f"{step.step.title} {verb}: {first_line(step.failure.message)}")
        if step.status is StepStatus.UNCERTAIN:
            looking = (
                "looking whether it was carried out" if not step.unknown else "not known whether it was carried out"
            )
            return Situation(words.UNCERTAIN, f"{step.step.title}: {looking}")
    return None


def _running(view: View, running: tuple[StepState, ...]) -> Situation:
    first = running[0]
    if any(step.stopping for step in running):
        point = view.progress(first).safe_point or "at its next safe point"
        text = f"Stopping {first.step.title} {point}"
        return Situation(words.STOPPING, text)
    titles = (
        first.step.title
        if len(running) == 1
        else f"{len(running)} at once: " + ", ".join(step.step.title for step in running)
    )
    said = view.progress(first).text if len(running) == 1 else ""
    text = f"{titles}  {said}" if said else titles
    held = "held after it" if view.state.status is RunStatus.HELD else ""
    return Situation(words.RUNNING, text, held or _then(view))


def _then(view: View, *, current: bool = False) -> str:
    """What comes next, and who starts it."""
    upcoming = view.next_steps
    step = view.current if current else (upcoming[0] if upcoming else None)
    if step is None or step.over:
        return ""
    if step.status is StepStatus.ARMED:
        return f"then {step.step.title} by itself (armed)"
    return f"{'first' if current and not view.started else 'then'} {step.step.title}"


def first_line(text: str) -> str:
    """The first line of a message."""
    return text.split("\n", 1)[0]
