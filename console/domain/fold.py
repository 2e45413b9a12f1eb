"""A run's state from its events: pure, deterministic, and the only way a state comes about.

Whatever the events say, the same events give the same state; a kind that has no effect on the state is
merely counted.
"""

from collections.abc import Callable, Iterable, Mapping

from console.domain import fold_incident, fold_run, fold_shared, fold_steps
from console.domain.events import Event, Kind
from console.domain.plan import Plan
from console.domain.state import CriterionState, RunState, SignOffState, StepState
from console.domain.working import Working


def initial(plan: Plan) -> RunState:
    """The state of a run of this plan before its first event."""
    return RunState(
        plan=plan,
        steps={step.id: StepState(step) for step in plan.steps},
        signoffs={each.role: SignOffState(each.role, each.title, each.required) for each in plan.signoffs},
        criteria={each.id: CriterionState(each.id, each.title, each.required) for each in plan.criteria},
    )


def apply(state: RunState, event: Event) -> RunState:
    """The state after one more event. Raises ValueError when the event names a step that the plan lacks."""
    return fold_on(state, (event,))


def fold(plan: Plan, events: Iterable[Event]) -> RunState:
    """The state after all these events, oldest first. Raises ValueError as `apply` does."""
    return fold_on(initial(plan), events)


def fold_on(state: RunState, events: Iterable[Event]) -> RunState:
    """The state after all these further events, oldest first. Raises ValueError as `apply` does."""
    work = Working(state)
    handler = _HANDLERS.get
    for event in events:
        kind = event.kind
        handler(kind, _merely_counted)(work, event)
        work.last = event
        if kind in _NO_CONSEQUENCE:
            continue
        if kind in _CHANGES_PRODUCTION:
            fold_incident.production_may_have_changed(work, work.step_of(event))
        work.settle(event.at)
    return work.freeze()


def _merely_counted(work: Working, event: Event) -> None:
    """Of no effect."""


_HANDLERS: Mapping[Kind, Callable[[Working, Event], None]] = {
    Kind.RUN_CREATED: fold_run.created,
    Kind.RUN_STARTED: fold_run.started,
    Kind.RUN_PAUSED: fold_run.paused,
    Kind.RUN_RESUMED: fold_run.resumed,
    Kind.RUN_ABORTING: fold_steps.aborting,
    Kind.RUN_FINISHED: fold_run.finished,
    Kind.DRIVER_JOINED: fold_run.joined,
    Kind.DRIVER_LEFT: fold_run.left,
    Kind.STORE_LOST: fold_shared.lost,
    Kind.STORE_REGAINED: fold_shared.regained,
    Kind.STORE_WAIVED: fold_shared.waived,
    Kind.BRANCH_ATTACHED: fold_shared.branch_attached,
    Kind.STEP_PREVIEWED: fold_steps.previewed,
    Kind.STEP_CONFIRMED: fold_steps.confirmed,
    Kind.STEP_ARMED: fold_steps.confirmed,
    Kind.STEP_DISARMED: fold_steps.disarmed,
    Kind.STEP_STARTED: fold_steps.started,
    Kind.STEP_PROGRESSED: fold_steps.progressed,
    Kind.STEP_SUCCEEDED: fold_steps.succeeded,
    Kind.STEP_FAILED: fold_steps.failed,
    Kind.STEP_UNCERTAIN: fold_steps.uncertain,
    Kind.STEP_RECONCILED: fold_steps.reconciled,
    Kind.STEP_REOPENED: fold_steps.reopened,
    Kind.STEP_TICKED: fold_steps.ticked,
    Kind.STEP_SKIPPED: fold_steps.skipped,
    Kind.GUARD_OVERRIDDEN: fold_steps.guard_overridden,
    Kind.DEPLOY_OBSERVED: fold_run.deploy_observed,
    Kind.FINDING_RECORDED: fold_run.finding_recorded,
    Kind.FINDING_CLEARED: fold_run.finding_cleared,
    Kind.FINDING_OVERRIDDEN: fold_run.finding_overridden,
    Kind.SIGNOFF_GIVEN: fold_run.signoff_given,
    Kind.SIGNOFF_REFUSED: fold_run.signoff_refused,
    Kind.SIGNOFF_VOID: fold_run.signoff_void,
    Kind.CRITERION_MET: fold_run.criterion_met,
    Kind.CRITERION_FAILED: fold_run.criterion_failed,
    Kind.ALERT_RAISED: fold_run.alert_raised,
    Kind.ALERT_CLEARED: fold_run.alert_cleared,
    Kind.NOTE_ADDED: fold_run.note_added,
    Kind.INCIDENT_DECLARED: fold_incident.declared,
    Kind.INCIDENT_CLOSED: fold_incident.closed,
    Kind.ROLLBACK_ASSESSED: fold_incident.assessed,
    Kind.ROLLBACK_CHOSEN: fold_incident.chosen,
    Kind.ROLLBACK_DROPPED: fold_incident.dropped,
    Kind.MESSAGE_DRAFTED: fold_incident.message_drafted,
    Kind.MESSAGE_SENT: fold_incident.message_sent,
    Kind.MESSAGE_DROPPED: fold_incident.message_dropped,
    Kind.POSTMORTEM_PLANNED: fold_incident.postmortem_planned,
}

_CHANGES_PRODUCTION = frozenset(
    {Kind.STEP_STARTED, Kind.STEP_SUCCEEDED, Kind.STEP_FAILED, Kind.STEP_UNCERTAIN, Kind.STEP_RECONCILED}
)
"""Kinds by which a step may have changed what was seen of production."""

_NO_CONSEQUENCE = frozenset(
    {
        Kind.STEP_PROGRESSED,
        Kind.STEP_PREVIEWED,
        Kind.DEPLOY_OBSERVED,
        Kind.FINDING_RECORDED,
        Kind.FINDING_CLEARED,
        Kind.FINDING_OVERRIDDEN,
        Kind.CRITERION_MET,
        Kind.CRITERION_FAILED,
        Kind.ALERT_RAISED,
        Kind.ALERT_CLEARED,
        Kind.NOTE_ADDED,
        Kind.BRANCH_ATTACHED,
        Kind.ROLLBACK_ASSESSED,
        Kind.MESSAGE_DRAFTED,
        Kind.MESSAGE_SENT,
        Kind.MESSAGE_DROPPED,
        Kind.POSTMORTEM_PLANNED,
    }
)
"""Kinds after which no step can have become ready and the run waits for nobody else than before."""
