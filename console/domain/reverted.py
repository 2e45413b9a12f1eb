"""What a revert leaves behind: the commits that it took back stay in the branch's history, and must be brought again.

Pure. A merge that was reverted counts as merged: merging its commits once more changes nothing. Whoever releases next
must hear of it, so all say it in these words.
"""

from console.domain import payload
from console.domain.released import by_action
from console.domain.state import RunState, StepState, StepStatus

REVERT = "rollback.revert"
PUSH_BACK = "rollback.push"
REAPPLY = "rollback.reapply_branch"


def reverted_words(state: RunState) -> str:
    """That a revert must be reverted before these commits can be released again; empty when none was pushed."""
    pushed = [each for each in by_action(state, PUSH_BACK) if _took_effect(each)]
    if not pushed:
        return ""
    commits = dict.fromkeys(filter(None, (_commit(state, each) for each in pushed)))
    names = " and ".join(each[:7] for each in commits) or f"on {state.plan.release.target}"
    many = len(commits) > 1
    words = f"The revert{'s' * many} {names} must be reverted before these commits can be released again"
    branch = reapply_branch(state)
    return f"{words}: the branch {branch} does that." if branch else f"{words}."


def reapply_branch(state: RunState) -> str:
    """The branch that brings the release again, as the console pushed it; empty without one."""
    found = [payload.text(state.evidence(each.step.id), "branch") for each in by_action(state, REAPPLY)]
    return next((each for each in reversed(found) if each), "")


def _commit(state: RunState, push: StepState) -> str:
    """The revert's full hash: what was pushed, else what the same way had made; empty when neither left one."""
    pushed = payload.text(state.evidence(push.step.id), "commit")
    made = (each for each in by_action(state, REVERT) if each.step.phase == push.step.phase)
    return pushed or next((payload.text(state.evidence(each.step.id), "commit") for each in made), "")


def _took_effect(step: StepState) -> bool:
    """Succeeded, or failed only when it was looked at afterwards: its evidence is there."""
    return step.status is StepStatus.SUCCEEDED or (step.status is StepStatus.FAILED and step.evidence is not None)
