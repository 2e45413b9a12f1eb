"""What earlier steps of the rollback left, for its other steps: settings, the revert, the switch of the database.

Ways that were given up count: what they changed stays changed until a later way changes it back.
"""

from collections.abc import Mapping
from datetime import datetime

from console.actions.handover import Record, left_by, states_of
from console.actions.rollback.database_ground import instance_of_services
from console.actions.rollback.on_branch import OnBranch, on_branch, release_span
from console.actions.wording import short
from console.domain.plan import Json
from console.domain.standing import Schema, Way
from console.domain.state import RunState, StepState, StepStatus
from console.errors import StepFailed
from console.ports import Context, Repository

HOLD = "rollback.hold_deploys"
REVERT = "rollback.revert"
PUSH = "rollback.push"
DEPLOY = "rollback.deploy"
SWITCH = "rollback.switch"
SCHEMA = "rollback.schema"
RESTORE = "rollback.restore_deploys"


def way_of(ctx: Context) -> Way | None:
    """The way that is being gone."""
    return ctx.state.rollback.way if ctx.state.rollback is not None else None


def held_settings(state: RunState) -> dict[str, str]:
    """Autodeploy by service as it was before the console switched it off; empty once it was given back."""
    held: dict[str, str] = {}
    for way in state.rollbacks:
        for step in (state.steps[each] for each in way.steps if each in state.steps):
            if step.step.action == HOLD:
                held |= _settings(step)
            if step.step.action == RESTORE and step.status is StepStatus.SUCCEEDED:
                held.clear()
    return held


def attempted(state: RunState, action: str) -> bool:
    """Whether a step of any way with this action was ever begun: production may have been changed by it."""
    return any(step.step.action == action and step.attempt for step in state.steps.values())


def switched_at(ctx: Context) -> datetime | None:
    """When the services were pointed at another instance: only a later deploy reads that. None when they were not.

    Where that was done by hand, it is when the step was said to be done.
    """
    done = [each for each in states_of(ctx, SWITCH) if each.status is StepStatus.SUCCEEDED]
    if not done:
        return None
    last = done[-1]
    record = Record(f"“{last.step.title}”", last.evidence.data if last.evidence is not None else {})
    return record.moment("switched_at") if "switched_at" in record else last.ended_at


def instance_in_use(ctx: Context) -> str:
    """The id of the instance that the services are to use by now; the plan's when nobody recorded another."""
    return instance_of_services(ctx) or ctx.plan.database.postgres_id


def schema_goes_back(ctx: Context) -> bool:
    """Whether this way leaves the schema from before: it builds it back, or the schema was never the new one."""
    if way_of(ctx) in (Way.SCHEMA, Way.DATABASE, Way.BACKUP):
        return True
    assessment = ctx.state.assessment
    return assessment is None or assessment.standing.schema is Schema.OLD


def deployed(ctx: Context, service: str) -> Record | None:
    """What the deploy of the revert left for a service."""
    return left_by(ctx, DEPLOY, service=service)


async def target_now(ctx: Context, repository: Repository) -> OnBranch:
    """How the target branch stands to the release, now."""
    await repository.fetch()
    span = await release_span(ctx.state, repository)
    return await on_branch(repository, span, await repository.tip(ctx.plan.release.target))


async def commit_to_run(ctx: Context, repository: Repository) -> str:
    """The commit that the services are to run: the revert as this way pushed it, else the target's tip.

    What an earlier way pushed may still hold a part of the release, or lack what came since. Raises StepFailed when
    the tip still holds the release.
    """
    pushed = left_by(ctx, PUSH) if _has(ctx, PUSH) else None
    if pushed is not None and "commit" in pushed:
        return pushed.text("commit")
    branch = await target_now(ctx, repository)
    if branch.holds and way_of(ctx) is not Way.FIX_ONLY:
        raise StepFailed(
            f"{ctx.plan.release.target} ({short(branch.tip)}) still holds the release: deploying it would bring the "
            "release again.",
            remedy="Revert the release on the branch first: reopen the revert and its push.",
        )
    return branch.tip


def left_out(ctx: Context, action: str) -> bool:
    """Whether this way has a step with this action and it was left out: its work is not done."""
    return any(step.status is StepStatus.SKIPPED for step in states_of(ctx, action))


def _has(ctx: Context, action: str) -> bool:
    """Whether the way that is being gone has a step with this action of its own."""
    way = ctx.state.rollback
    return any(way is not None and each.step.id in way.steps for each in states_of(ctx, action))


def _settings(step: StepState) -> dict[str, str]:
    """What a step that holds autodeploy recorded before it began, however it ended, also when it was reopened."""
    unfinished: Mapping[str, Json] = step.unfinished.before if step.unfinished is not None else {}
    evidence: Mapping[str, Json] = step.evidence.data if step.evidence is not None else {}
    for data in (evidence, step.before, unfinished, step.undone):
        settings = data.get("settings")
        if isinstance(settings, dict):
            return {key: str(value) for key, value in settings.items()}
    return {}
