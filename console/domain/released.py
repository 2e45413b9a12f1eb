"""What has reached production so far, read from the evidence of the steps: the release's commit, live code, schema."""

from console.domain.state import RunState, StepState, StepStatus

PUSH = "source.push"
MERGE = "source.merge"
BUILD = "build.follow"
MIGRATE = "migrate.run"


def by_action(state: RunState, action: str) -> tuple[StepState, ...]:
    """The steps of one action, in the plan's order."""
    return tuple(each for each in state.steps.values() if each.step.action == action)


def release_commit(state: RunState) -> str:
    """The full hash of what is released: the commit that was pushed, else merged; empty before that."""
    for action in (PUSH, MERGE):
        for step in by_action(state, action):
            commit = state.evidence(step.step.id).get("commit")
            if isinstance(commit, str) and commit:
                return commit
    return ""


def pushed(state: RunState) -> bool:
    """Whether the release reached the target branch, as far as is known."""
    return any(_took_effect(each) for each in by_action(state, PUSH))


def migrated(state: RunState) -> bool:
    """Whether the migration was committed, as far as is known."""
    return any(_took_effect(each) for each in by_action(state, MIGRATE))


def live_builds(state: RunState) -> tuple[StepState, ...]:
    """The build steps whose deploy is live."""
    return tuple(each for each in by_action(state, BUILD) if each.status is StepStatus.SUCCEEDED)


def _took_effect(step: StepState) -> bool:
    """Succeeded, or failed only when it was looked at afterwards: its evidence is there."""
    return step.status is StepStatus.SUCCEEDED or (step.status is StepStatus.FAILED and step.evidence is not None)
