"""The situation in one sentence: where are we, is it going well, what is next."""

import re
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


_BRACKETS = re.compile(r"\s*\([^()]*\)$")
_HELD = words.Sign("‖", ink.NOW_STRONG, "held")
_INCIDENT = words.Sign("!", ink.DANGER_STRONG, "incident")


def situation(view: View) -> Situation:
    """The most pressing thing there is to say about a run."""
    state = view.state
    if state.status is RunStatus.FINISHED:
        return _finished(view)
    if view.record_failed:
        what = "The record cannot be written" if view.driving else "What is shown stands still"
        return Situation(_INCIDENT, f"{what}: {view.record_failed}")
    if state.status is RunStatus.NOT_STARTED:
        blockers = sum(each.severity == "blocker" and not each.overridden for each in state.findings.values())
        if blockers:
            shows = "w shows it" if blockers == 1 else "w shows them"
            return Situation(words.FAILED, f"No-go: {words.count(blockers, 'blocker')}", shows)
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
        return _held(view)
    if state.complete and state.rollback is None:
        close = "⏎ closes the run" if view.driving else f"{view.person} closes the run"
        return Situation(words.YOURS, f"Every step is over: {close}")
    if state.attention:
        first, *others = state.attention
        more = f" and {words.count(len(others), 'other')}" if others else ""
        if state.kept_by_guard(first):
            return Situation(words.YOURS, f"Waits for {view.person}: {first.step.title}, whose guard was left out")
        void = _void(view)
        if void is not None:
            return void
        return Situation(words.YOURS, f"Waits for {view.person}: {first.step.title}{more}", _then(view))
    starting = [state.steps[step] for step in due(state)]
    text = f"About to start: {starting[0].step.title}" if starting else "Between two steps"
    return Situation(words.ARMED, text, "" if starting else _then(view, current=True))


def _void(view: View) -> Situation | None:
    """Signatures that were given stand no more: what was settled is open again, and has to be seen."""
    signoffs = view.state.signoffs
    void = [s for s in view.state.attention if (known := signoffs.get(s.step.role or "")) is not None and known.void]
    if not void:
        return None
    count = "1 signature is" if len(void) == 1 else f"{len(void)} signatures are"
    reason = signoffs[void[0].step.role or ""].void
    return Situation(words.YOURS, f"{count} void: {void[0].step.title} again", reason.reason if reason else "")


def _held(view: View) -> Situation:
    """Nothing runs and nothing starts: since what, and the key that ends it."""
    state = view.state
    since = state.held_reason
    if since.startswith("incident"):
        since = f"since the {since}, closed meanwhile" if state.incident_at is None else since
    key = "   h resumes" if view.driving else ""
    text = f"Held{': ' if since else ''}{since}. Nothing starts by itself.{key}"
    if state.complete and state.rollback is None:
        text = f"Every step is over, the run is held.{'   ⏎ closes it' if view.driving else ''}"
    return Situation(_HELD, text, _then(view, current=True))


def _incident(view: View, trouble: Situation | None) -> Situation:
    """An incident is open: why, and how far the way back is, where one is gone."""
    state = view.state
    text = f"Incident: {state.incident_reason or 'declared without words'}"
    if state.rollback is None:
        return Situation(_INCIDENT, f"{_wrong(view)}{text}" if trouble is not None else text)
    if trouble is not None:
        return trouble
    if state.complete:
        return Situation(words.DONE, f"Back: {TITLES[state.rollback.way]}", text)
    return Situation(words.BACK, f"Going back: {TITLES[state.rollback.way]}", text)


def _wrong(view: View) -> str:
    """Which step is in trouble, in the fewest words: beside an incident there is no room for more."""
    step = view.state.attention[0]
    word = "not known" if step.status is StepStatus.UNCERTAIN else words.sign_of(step, view.state).word
    return f"{brief(step)} {word} · "


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
            if step.failure.stopped:
                held = "   h resumes" if view.state.status is RunStatus.HELD and view.driving else ""
                return Situation(words.STOPPED, f"{brief(step)} was stopped, as asked{held}")
            return Situation(words.FAILED, f"{brief(step)} failed: {first_line(step.failure.message)}")
        if step.status is StepStatus.UNCERTAIN:
            looking = (
                "looking whether it was carried out" if not step.unknown else "not known whether it was carried out"
            )
            return Situation(words.UNCERTAIN, f"{brief(step)}: {looking}")
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
    if view.state.status is RunStatus.HELD:
        still = f"{titles} still runs" if len(running) == 1 else f"{len(running)} still run"
        key = "   h resumes" if view.driving else ""
        return Situation(words.RUNNING, f"Held: nothing more starts; {still}{key}", said)
    return Situation(words.RUNNING, f"{titles}  {said}" if said else titles, _then(view))


def _then(view: View, *, current: bool = False) -> str:
    """What comes next, and who starts it."""
    upcoming = view.next_steps
    step = view.current if current else (upcoming[0] if upcoming else None)
    if step is None or step.over:
        return ""
    if step.status is StepStatus.ARMED:
        return f"then {step.step.title} by itself (armed)"
    return f"{'first' if current and not view.started else 'then'} {step.step.title}"


def brief(step: StepState) -> str:
    """The title without what stands in brackets at its end."""
    return _BRACKETS.sub("", step.step.title) or step.step.title


def first_line(text: str) -> str:
    """The first line of a message."""
    return text.split("\n", 1)[0]
