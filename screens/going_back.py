"""The next thing in an incident, before a way back is chosen and while one is gone: which key, and what it does.

Pure. What always holds: there is at most one next thing, it is one that the domain would allow now, and where nothing
is to be pressed the words say what is waited for.
"""

from dataclasses import dataclass

from console.domain import intents
from console.domain.state import RunState, RunStatus, StepState, StepStatus
from screens.end_of_the_way import TELL, end_label
from screens.leads import Ask, Choose, GoBack, Lead, Send, Show
from screens.moment import Moment
from screens.next_thing import about_next, next_lead, next_words, trouble_of
from screens.paint.ways_back import ordered
from screens.ways import drop_way, ways_of


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the band says: a key (empty: nothing to press now), what it does, and quietly what is good to know."""

    key: str
    text: str
    then: str = ""
    grave: bool = False


def choosing(state: RunState) -> bool:
    """Whether an incident is open and no way back is being gone."""
    return state.incident_at is not None and state.rollback is None and state.status is not RunStatus.FINISHED


def choice_lead(moment: Moment) -> Lead | None:
    """Where Enter leads while a way is to be chosen; None when there is nothing to be pressed."""
    if not choosing(moment.state) or moment.view.looking.since is not None:
        return None
    if _probed(moment.state) is not None:
        return None
    unknown = _unknown(moment.state)
    if unknown is not None:
        options = tuple(way for way in ways_of(moment.state, unknown) if not isinstance(way.lead, Show))
        return Choose(unknown.step.title, trouble_of(unknown), options)
    if moment.view.assessment is None:
        return Send(intents.Assess())
    way = moment.way
    return GoBack(way.way.value) if way is not None and way.applies else None


def choice_label(moment: Moment) -> str:
    """What Enter does while a way is to be chosen, in the footer's words."""
    if _unknown(moment.state) is not None:
        return "say what is known"
    if moment.view.assessment is None:
        return "look where production stands"
    recommended = moment.way is not None and moment.way.recommended
    return "choose the recommended way" if recommended else "look at this way"


def numbered_lead(moment: Moment, number: int) -> Lead | None:
    """Where a digit leads while a way is to be chosen: that way in full; None where there is none."""
    offered = ordered(moment.view.assessment)
    if (
        moment.screen != "incident"
        or choice_lead(moment) is None
        or _unknown(moment.state) is not None
        or number > len(offered)
    ):
        return None
    way = offered[number - 1]
    return GoBack(way.way.value) if way.applies else None


def can_drop(moment: Moment) -> bool:
    """Whether the way that is gone can be left now."""
    state = moment.state
    going = state.rollback is not None and not state.complete and state.status is not RunStatus.FINISHED
    return going and not state.running and _unknown(state) is None and _probed(state) is None


def drop_lead(moment: Moment) -> Ask:
    """Leave the way that is gone."""
    return drop_way()


def prompt(moment: Moment) -> Prompt:
    """What the band of the incident screen says now."""
    state, view = moment.state, moment.view
    if state.status is RunStatus.FINISHED:
        return Prompt("", f"Closed: {state.outcome.replace('_', ' ')}", state.outcome_reason)
    if state.rollback is not None:
        return _going(moment) if view.driving else Prompt("", f"{state.driver or 'Whoever drives'} goes a way back")
    if not state.incidents:
        return Prompt("esc", "back to the run", "No incident had been declared yet.")
    if state.incident_at is None:
        return Prompt("esc", "back to the run", "The incident is closed. The run is held until somebody resumes it.")
    if view.looking.since is not None:
        return Prompt("", "Looking where production stands, and which ways lead back", "It changes nothing.")
    if not view.driving:
        return Prompt("", f"{state.driver or 'Whoever drives'} decides which way is gone")
    return _choice(moment)


def _choice(moment: Moment) -> Prompt:
    state, assessment = moment.state, moment.view.assessment
    probed = _probed(state)
    if probed is not None:
        return Prompt("", f"Looking whether “{probed.step.title}” was carried out", "A way back depends on it.")
    unknown = _unknown(state)
    if unknown is not None:
        text = f"say whether “{unknown.step.title}” was carried out"
        return Prompt("⏎", text, "A way back depends on it, and none can be chosen before.", grave=True)
    if assessment is None:
        again = "look again" if moment.view.looking.refusal else "look"
        return Prompt("⏎", f"{again} where production stands, and which ways lead back", "It changes nothing.")
    if state.running:
        return _still_running(state)
    best = next((way for way in assessment.ways if way.recommended), None)
    way = moment.way
    if way is not None and way.recommended:
        return Prompt("⏎", f"choose the recommended way: {way.title}", "It is shown in full first.")
    if way is None or not way.applies:
        instead = f"Recommended is “{best.title}”." if best is not None else ""
        return Prompt("↑↓", "pick another way: this one does not apply from here", instead)
    if best is None:
        return Prompt("⏎", f"look at: {way.title}", "No way restores service from here.", grave=True)
    return Prompt("⏎", f"look at: {way.title}", f"Not the recommended one, which is “{best.title}”.")


def _still_running(state: RunState) -> Prompt:
    """What has to end before a way can be chosen."""
    titles = ", ".join(f"“{step.step.title}”" for step in state.running)
    then = "A way back can be chosen when nothing runs; ⏎ shows the selected one already."
    if all(step.stopping for step in state.running):
        return Prompt("", f"{titles}: stops at the next safe point", then)
    return Prompt("a", f"stop {titles} at the next safe point", then)


def _going(moment: Moment) -> Prompt:
    state, current = moment.state, moment.view.current
    if state.complete:
        return _end(state)
    about = about_next(moment)
    if about.step is not None and next_lead(moment) is not None:
        return _about(about, about.step)
    if current is not None and current in state.attention and not moment.following:
        return Prompt("g", f"go to “{current.step.title}”: it waits for you")
    if state.running:
        return Prompt("", f"{_that_run(state)}: nothing to press now", _beside(moment))
    if state.status is RunStatus.HELD:
        return Prompt("h", "resume: the run is held and no step starts by itself")
    return Prompt("", "The next step starts by itself")


def _about(moment: Moment, step: StepState) -> Prompt:
    """What Enter does about a step of the way."""
    said = next_words(moment)
    if said == TELL:
        return Prompt("⏎", TELL, f"“{step.step.title}” goes on when none waits any more.")
    text = f"{said}: {step.step.title}"
    if step.status in (StepStatus.FAILED, StepStatus.UNCERTAIN):
        return Prompt("⏎", text, "Or press the number of what you want to do: they stand below.", grave=True)
    if moment.state.running:
        return Prompt("⏎", text, f"{_that_run(moment.state)} meanwhile.")
    return Prompt("⏎", text, _beside(moment))


def _that_run(state: RunState) -> str:
    titles = ", ".join(f"“{step.step.title}”" for step in state.running)
    return f"{titles} {'runs' if len(state.running) == 1 else 'run'}"


def _end(state: RunState) -> Prompt:
    """Every step of the way is over: the incident, the word of its end, the run."""
    label = end_label(state)
    if not label:
        return Prompt("", "The word of the incident's end is being written")
    if label == TELL:
        return Prompt("⏎", label, "Then the run can be closed as rolled back.")
    then = "Every step of the way is over." if state.incident_at is not None else "The incident is closed."
    return Prompt("⏎", label, then)


def _beside(moment: Moment) -> str:
    waiting = [step for step in moment.state.messages.values() if step.waits]
    return "m: a message to the stakeholders waits to be sent" if waiting else ""


def _unknown(state: RunState) -> StepState | None:
    """A step of which it is not known whether it took effect, and which a person has to decide."""
    found = (step for step in state.steps.values() if step.status is StepStatus.UNCERTAIN and step.unknown)
    return next(found, None)


def _probed(state: RunState) -> StepState | None:
    """A step of which it is being looked whether it took effect."""
    found = (step for step in state.steps.values() if step.status is StepStatus.UNCERTAIN and not step.unknown)
    return next(found, None)
