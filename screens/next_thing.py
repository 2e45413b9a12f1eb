"""The next thing that is needed from a person: what Enter means, and how it is called.

What always holds: on a step that the person selected Enter means that step.
"""

from dataclasses import replace

from textual.content import Content

from console.domain import intents
from console.domain.decide_incident import asks_more_than_a_tick
from console.domain.plan import StepKind
from console.domain.rollback_plan import has_time
from console.domain.schedule import armable
from console.domain.state import RunState, RunStatus, StepState, StepStatus
from screens.end_of_the_way import (
    TELL,
    close_incident,
    close_rolled_back,
    do_or_leave_out,
    end_label,
    end_lead,
    tell,
)
from screens.leads import Ask, AskPostmortem, Choose, ConfirmStep, Lead, Option, Send, SignRole
from screens.moment import Moment
from screens.paint import ink, words
from screens.ways import ending, ways


def about_next(moment: Moment) -> Moment:
    """The moment with the step that Enter is about.

    It is the selected one. While the cursor follows and that one needs nothing, it is what waits for a person beside
    it, else what can be confirmed ahead.
    """
    state = moment.state
    if moment.step is None or not moment.following or not moment.open or state.complete or _lead(moment) is not None:
        return moment
    if state.incident_at is not None and state.rollback is None:
        return moment
    for step in (*state.attention, *(each for each in state.active if armable(state, each))):
        other = replace(moment, step=step)
        if _lead(other) is not None:
            return other
    return moment


def next_label(moment: Moment) -> str:
    """What Enter does now, in the footer's words; with the step where that is not the selected one."""
    about = about_next(moment)
    label = next_words(about)
    named = about.step is not None and about.step is not moment.step and label != TELL
    return f"{label}: {about.step.step.title}" if named and about.step is not None else label


def next_words(moment: Moment) -> str:
    """What Enter does about the selected step."""
    if moment.state.status is RunStatus.NOT_STARTED:
        return "begin the run"
    step = moment.step
    if step is None:
        return ""
    if ways(moment):
        return "what can be done"
    if _complete(moment.state):
        return "close the run" if moment.state.rollback is None else end_label(moment.state)
    if step.step.kind is StepKind.SIGNOFF:
        return "sign"
    if step.step.kind is StepKind.MANUAL:
        return "name owner and day" if asks_more_than_a_tick(moment.state, step.step.id) else "tick it"
    if moment.state.waits_for_words(step):
        return TELL
    if step.status is not StepStatus.READY:
        return "confirm ahead"
    return "do it or leave it out" if has_time(step.step) else "look, then confirm"


def next_lead(moment: Moment) -> Lead | None:
    """Where Enter leads now; None when nothing is needed from a person."""
    return _lead(about_next(moment))


def _lead(moment: Moment) -> Lead | None:
    """What the selected step needs from a person."""
    if moment.state.status is RunStatus.NOT_STARTED:
        return begin(moment)
    step = moment.step
    if step is None or moment.state.status is RunStatus.FINISHED:
        return None
    options = ways(moment)
    if options:
        return Choose(step.step.title, trouble_of(step), options)
    if _complete(moment.state):
        return close_run(moment) if moment.state.rollback is None else end_lead(moment.state)
    if moment.state.set_aside(step.step.id):
        return None
    return _served(moment, step)


def _served(moment: Moment, step: StepState) -> Lead | None:
    """How a person serves a step with which nothing is wrong."""
    ready = step.status is StepStatus.READY
    if step.step.kind is StepKind.SIGNOFF:
        return _sign(moment, step)
    if step.step.kind is StepKind.MANUAL and ready:
        return AskPostmortem(step.step.id) if asks_more_than_a_tick(moment.state, step.step.id) else _tick(step)
    if ready and moment.state.waits_for_words(step):
        return tell(moment.state)
    if step.step.confirmation is None or step.status not in (StepStatus.READY, StepStatus.WAITING):
        return None
    return do_or_leave_out(step) if ready and has_time(step.step) else ConfirmStep(step.step.id)


def _complete(state: RunState) -> bool:
    return state.status is not RunStatus.FINISHED and bool(state.steps) and state.complete


def trouble_of(step: StepState) -> tuple[Content, ...]:
    """What is known of what is wrong with a step."""
    if step.failure is None:
        return (ink.line(step.unknown),) if step.unknown else ()
    lines = [ink.line((step.failure.message, ink.DANGER))]
    if step.failure.production:
        lines.append(ink.line(("Production now  ", ink.QUIET), step.failure.production))
    if step.failure.remedy:
        lines.append(ink.line(("What helps  ", ink.QUIET), step.failure.remedy))
    return tuple(lines)


def _sign(moment: Moment, step: StepState) -> Lead | None:
    role = step.step.role
    if role is None or step.status is not StepStatus.READY or role not in moment.state.signoffs:
        return None
    return SignRole(role)


def _tick(step: StepState) -> Lead:
    return Ask(
        step.step.title,
        (step.step.help or "A person does this.",),
        "It is done",
        lambda answer: intents.Tick(step.step.id, answer.text),
        label="Note (may be empty)",
        required=False,
    )


def begin(moment: Moment) -> Lead:
    """Let the run begin: what that means, once more."""
    plan = moment.state.plan
    asks = [s.title for s in plan.steps if s.confirmation is not None]
    # A plan for a rehearsal names this machine alone, also before the record says that this is one.
    rehearsal = moment.state.rehearsal or plan.environment == "rehearsal"
    where = "a rehearsal: nothing outside this machine is touched" if rehearsal else plan.environment.upper()
    body = (
        ink.line(("Where  ", ink.QUIET), (where, ink.STRONG if rehearsal else ink.DANGER_STRONG)),
        ink.line(("Hosts  ", ink.QUIET), words.hosts(plan.hosts) or "none named"),
        ink.line(("Clock  ", ink.QUIET), f"starts now; the plan declares {words.planned(plan.declared_total)}"),
        ink.line(("Asks before  ", ink.QUIET), ", ".join(asks) or "nothing"),
        ink.line("Steps that need no yes start by themselves, one after the other."),
    )
    return Choose(
        f"Begin “{plan.title}”",
        body,
        (Option("Begin", "the first step starts at once", Send(intents.Start(), "The run has begun.")),),
    )


def close_run(moment: Moment) -> Lead:
    """The ways to end a run; `completed` only when everything is over."""
    options = []
    if _complete(moment.state) and moment.state.rollback is not None:
        options += _rolled_back(moment.state)
    elif _complete(moment.state):
        options.append(ending("completed", "Completed", "the plan's criteria and signatures are checked once more"))
    options.append(
        ending("failed", "Closed as failed", "what production looks like stays as it is; say so", danger=True)
    )
    options.append(ending("abandoned", "Abandoned", "given up before it was done", danger=True))
    over = sum(s.over for s in moment.state.active)
    body = (ink.line(f"{over} of {len(moment.state.active)} steps are over. A closed run cannot be opened again."),)
    return Choose("Close the run", body, tuple(options))


def _rolled_back(state: RunState) -> list[Option]:
    """To the end of a way back, the incident before the run."""
    if state.incident_at is not None:
        after = "its end is told to the stakeholders; then the run can be closed as rolled back"
        return [Option("Close the incident", after, close_incident(state))]
    return [Option("Rolled back", "production was brought back", close_rolled_back(state))]
