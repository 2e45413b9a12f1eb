"""What the console states by itself when the state calls for it: criteria judged, signatures void, alerts.

Pure, and compared with what already stands: asked again after the events were appended, or by a console that
was started anew, it answers nothing. So it does not matter at which event a run died.
"""

from console.domain import signing
from console.domain.events import Draft, Kind
from console.domain.messages import drafts, outdated
from console.domain.plan import Criterion
from console.domain.released import pushed
from console.domain.state import RunState, RunStatus, StepState, StepStatus


def consequences(state: RunState) -> tuple[Draft, ...]:
    """The events that follow from the state as it stands; none when all is said or the run is finished."""
    if state.status is RunStatus.FINISHED:
        return ()
    judged = [_judge(state, each) for each in state.plan.criteria if _to_be_judged(state, each)]
    alerts = [each for step in state.steps.values() for each in _alerts(state, step)]
    return (*signing.outdated(state), *judged, *alerts, *drafts(state), *outdated(state))


def _to_be_judged(state: RunState, criterion: Criterion) -> bool:
    """Every step that proves it is over, and nothing was said about it yet."""
    said = state.criteria[criterion.id]
    if said.met is not None or said.evidence:
        return False
    return bool(criterion.proven_by) and all(state.steps[each].over for each in criterion.proven_by)


def _judge(state: RunState, criterion: Criterion) -> Draft:
    proofs = [state.steps[each] for each in criterion.proven_by]
    doubts = [_doubt(each) for each in proofs if _doubt(each)]
    if doubts:
        verdict = "not enough to say"
        data = {"criterion": criterion.id, "evidence": "; ".join(doubts), "verdict": verdict}
        return Draft(Kind.CRITERION_FAILED, data=data)
    words = "; ".join(_proof(each) for each in proofs)
    return Draft(Kind.CRITERION_MET, data={"criterion": criterion.id, "evidence": words})


def _doubt(step: StepState) -> str:
    if step.status is StepStatus.SKIPPED:
        return f"{step.step.title} was left out: {step.note}"
    if step.accepted:
        return f"{step.step.title} was accepted although its verification failed: {step.accepted}"
    return ""


def _proof(step: StepState) -> str:
    summary = step.evidence.summary if step.evidence is not None else step.note
    return f"{step.step.title}: {summary}" if summary else step.step.title


def _alerts(state: RunState, step: StepState) -> tuple[Draft, ...]:
    """A step that fails once the release has reached production raises an alert; its success clears it."""
    alert_id = f"step:{step.step.id}"
    alert = state.alerts.get(alert_id)
    raised = alert is not None and not alert.cleared
    if step.status is StepStatus.FAILED and step.failure is not None and not raised:
        if step.step.action is None or step.failure.stopped or not pushed(state):
            return ()
        message = f"{step.step.title} failed: {step.failure.message}"
        data = {"alert": alert_id, "severity": "danger", "message": message, "offer": "incident"}
        return (Draft(Kind.ALERT_RAISED, step.step.id, data),)
    if raised and step.over:
        data = {"alert": alert_id, "reason": f"{step.step.title} {step.status}"}
        return (Draft(Kind.ALERT_CLEARED, step.step.id, data),)
    return ()
