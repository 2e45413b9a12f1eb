"""Which steps start by themselves now. Pure: a function of the state alone."""

from console.domain.dependencies import Steps, blocked
from console.domain.plan import Step, StepKind
from console.domain.state import RunState, RunStatus, StepState, StepStatus

_AFTER_A_YES = frozenset({"rollback.hold_deploys", "rollback.deploy", "rollback.restore_deploys", "rollback.open"})
"""Actions of a way back that change production and ask for no yes of their own: the way itself was chosen by one."""


def due(state: RunState) -> tuple[str, ...]:
    """The steps that should start now, in the plan's order.

    Ready ones that need no confirmation, and armed ones whose predecessors are over; while the shared record is lost,
    none that changes production, until somebody says that nobody else drives. None at all while the run has not begun,
    is held or finished, or an incident is open from which no way back is gone. Manual steps and signatures never start.
    """
    if not free(state):
        return ()
    return tuple(each.step.id for each in _starting(state))


def free(state: RunState) -> bool:
    """Whether steps may start by themselves: those of a way back, else of the plan while no incident is open."""
    return state.status is RunStatus.RUNNING and (state.incident_at is None or state.rollback is not None)


def startable(steps: Steps, state: StepState) -> bool:
    """Whether a step has everything that it needs to start, if the run lets steps start."""
    if state.step.kind is not StepKind.ACTION:
        return False
    if state.status is StepStatus.READY:
        return state.step.confirmation is None
    return state.status is StepStatus.ARMED and not blocked(steps, state)


def kept_apart(state: RunState, step: StepState) -> bool:
    """Whether a step that changes production is kept from starting: the shared record is lost, and somebody else may
    have taken the run over."""
    apart = state.apart
    return apart is not None and not apart.waived and changes_production(step.step)


def changes_production(step: Step) -> bool:
    """Whether a step changes production: what asks for a yes, and what follows one within a way back."""
    return step.confirmation is not None or step.action in _AFTER_A_YES


def armable(state: RunState, step: StepState) -> bool:
    """Whether a yes can be given ahead now: the step asks for one, and waits only for what is over or runs."""
    if step.status is not StepStatus.WAITING or step.step.confirmation is None or step.yes is not None:
        return False
    before = [state.steps[each].status for each in step.step.after if not state.steps[each].over]
    return bool(before) and all(each is StepStatus.RUNNING for each in before)


def waits_for_person(state: RunState) -> bool:
    """Whether the run can do nothing now but wait for a person.

    So it is when nothing runs, nothing is being probed and nothing is about to start by itself, in a run
    that has begun and is not finished.
    """
    if state.status not in (RunStatus.RUNNING, RunStatus.HELD):
        return False
    return not any(map(_busy, state.steps.values())) and not (free(state) and _starting(state))


def _starting(state: RunState) -> tuple[StepState, ...]:
    """The steps that would start now, if the run lets steps start."""
    return tuple(
        each
        for each in state.active
        if startable(state.steps, each) and not state.waits_for_words(each) and not kept_apart(state, each)
    )


def _busy(state: StepState) -> bool:
    probing = state.status is StepStatus.UNCERTAIN and not state.unknown
    return probing or state.status is StepStatus.RUNNING
