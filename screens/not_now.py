"""Why a key does nothing now, in words: for keys that somebody may well press. Empty when there is nothing to say."""

from console.domain.dependencies import guarded_by, open_predecessors
from console.domain.state import RunState, RunStatus, SignOffState, StepState, StepStatus
from screens.moment import Moment

NOT_BEGUN = "The run has not begun"
SIGNABLE = (StepStatus.READY, StepStatus.FAILED)
"""A role signs when its step is ready, and after all when it has refused."""


def no_incident(moment: Moment) -> str:
    """Declaring an incident."""
    return f"{NOT_BEGUN}: there is nothing to declare an incident about." if _not_begun(moment) else ""


def no_hold(moment: Moment) -> str:
    """Holding and resuming."""
    if _not_begun(moment):
        return f"{NOT_BEGUN}: nothing starts by itself before it does."
    if moment.open and moment.state.incident_at is not None:
        return "An incident is open: the run stays held until it is closed (c)."
    return ""


def no_stop(moment: Moment) -> str:
    """Stopping what runs."""
    if moment.open and moment.state.running:
        return "It is already stopping, at its next safe point."
    return "Nothing runs that could be stopped." if moment.unfinished else ""


def no_close(moment: Moment) -> str:
    """Closing the run."""
    if _not_begun(moment):
        return f"{NOT_BEGUN}: there is nothing to close."
    running = ", ".join(step.step.title for step in moment.state.running)
    return f"Still running: {running}. Wait for it, or stop it (a)." if moment.open and running else ""


def no_leaving_out(moment: Moment) -> str:
    """Leaving the selected step out."""
    step = moment.step
    if step is None or not moment.open or step.status is not StepStatus.READY:
        return ""
    relying = guarded_by(moment.state.steps, step.step.id)
    titles = ", ".join(moment.state.steps[each].step.title for each in relying)
    return f"{step.step.title} protects what follows: {titles}. It is overridden there, or done." if relying else ""


def no_signature(moment: Moment) -> str:
    """Signing as the selected role."""
    signoff = moment.signoff
    if signoff is None or signoff.given or not moment.unfinished:
        return ""
    waits = waits_for(moment.state, signoff)
    return f"{signoff.title} signs when these are over: {', '.join(waits)}." if waits else ""


def can_sign(moment: Moment) -> bool:
    """Whether the selected role can give or refuse its signature now."""
    signoff = moment.signoff
    if signoff is None or signoff.given or not moment.open or moment.state.rollback is not None:
        return False
    step = _step_of(moment.state, signoff)
    return step is None or step.status in SIGNABLE


def waits_for(state: RunState, signoff: SignOffState) -> tuple[str, ...]:
    """The titles of the steps that have to be over before a role signs."""
    step = _step_of(state, signoff)
    if step is None:
        return ()
    return tuple(state.steps[each].step.title for each in open_predecessors(state.steps, step.step))


def _step_of(state: RunState, signoff: SignOffState) -> StepState | None:
    return next((step for step in state.steps.values() if step.step.role == signoff.role), None)


def _not_begun(moment: Moment) -> bool:
    return moment.state.status is RunStatus.NOT_STARTED
