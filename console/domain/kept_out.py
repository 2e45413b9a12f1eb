"""Whether a way back may still keep users out: a fence that was begun, and nothing that is known to have let them in.

Pure. What always holds: only a step that let users in, or a look at production after the fence, can say that they are
in.
"""

from console.domain.impact import FENCE
from console.domain.state import RunState, StepState, StepStatus

OPEN = "rollback.open"


def kept_out(state: RunState) -> str:
    """Why users may still be kept out, in a sentence; empty when no fence was begun, or users are known to be in."""
    fences = [step for step in state.steps.values() if step.step.action == FENCE and step.attempt > 0]
    if not fences:
        return ""
    fence = fences[-1]
    if _let_in_since(state, fence) or _seen_open_since(state, fence):
        return ""
    if fence.status in (StepStatus.FAILED, StepStatus.UNCERTAIN):
        return f"“{fence.step.title}” was begun and did not come to its end: users may be kept out, and writes refused."
    return f"Users are kept out since “{fence.step.title}”: maintenance mode is on and the database read-only."


def _let_in_since(state: RunState, fence: StepState) -> bool:
    begun = fence.started_at
    opened = (step for step in state.steps.values() if step.step.action == OPEN and step.status is StepStatus.SUCCEEDED)
    return any(begun is not None and step.ended_at is not None and step.ended_at >= begun for step in opened)


def _seen_open_since(state: RunState, fence: StepState) -> bool:
    """Whether somebody looked at production after the fence, and found it open."""
    if state.assessment is None or state.assessed_at is None or fence.started_at is None:
        return False
    standing = state.assessment.standing
    shut = standing.fenced or any(service.maintenance for service in standing.services)
    return state.assessed_at > fence.started_at and not shut
