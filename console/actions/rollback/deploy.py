"""The services run the code from before: the revert deployed by its commit, and followed until it is live.

What always holds: one deploy is started, whatever becomes of the answer; one of ours that is still on its way is
followed instead of starting another; after the database was switched only a later deploy counts, as none before reads
the new variable.
"""

from datetime import timedelta

from console.actions.deploys import deploy_by_commit, described, read_deploys
from console.actions.following import (
    LOOK_AT_DEPLOYS,
    STATUS_WORDS,
    Followed,
    Following,
    Words,
    arrived,
    production,
    superseded_text,
)
from console.actions.handover import json_texts, recorded_before
from console.actions.production import in_production
from console.actions.rollback.journaled import commit_to_run, switched_at
from console.actions.wording import short
from console.domain.hosting import Deploy, DeployStatus
from console.domain.outcome import (
    Done,
    Evidence,
    Fact,
    Line,
    NotDone,
    Preview,
    Probe,
    Progress,
    Reading,
    Tone,
    Unknown,
)
from console.errors import VerificationFailed
from console.ports import Context, Hosting, Report, Repository, Telemetry

# The switch is dated by a header of whole seconds, the deploy by another of the provider's clocks.
_GRAIN = timedelta(seconds=2)
_AGAIN = "Retry starts a new deploy of it."
_WORDS = Words(what="the revert", since="it was asked for", again=_AGAIN, mended=_AGAIN, by_name=_AGAIN)


class RollbackDeploy:
    """`rollback.deploy`: deploy the revert to one service, by commit, and follow it to live.

    before: `commit`, `deploys` (ids that are not ours).
    Durable progress on each change of status: `deploy` ({`service`, `deploy`, `status`, `commit`, `trigger`}).
    Evidence: that of `console.actions.following.arrived`.
    """

    destructive = False

    def __init__(self, hosting: Hosting, repository: Repository, telemetry: Telemetry | None = None) -> None:
        self._hosting = hosting
        self._repository = repository
        self._following = Following(hosting, repository, telemetry)

    async def preview(self, ctx: Context) -> Preview:
        """Which commit is deployed to which service, and what it runs now."""
        service = ctx.plan.service(str(ctx.step.params.get("service", "")))
        with in_production(ctx, LOOK_AT_DEPLOYS):
            commit = await commit_to_run(ctx, self._repository)
            deploys = await read_deploys(self._hosting, service.id, commit, ())
        ours = _still_counts(ctx, commit, deploys.all)
        live = deploys.live
        does = "Deploy" if ours is None else "Follow the deploy of"
        return Preview(
            summary=f"{does} {short(commit)} on {service.name} and wait until it is live",
            facts=(Fact("service", service.name), Fact("commit", commit)),
            readings=(Reading("runs now", described(live) if live is not None else "nothing"),),
            consequences=(
                Line(f"{service.name} is rebuilt and switched to this commit.", tone=Tone.WARNING)
                if ours is None
                else Line(f"Its deploy is there: {STATUS_WORDS[ours.status]} {described(ours)}"),
            ),
            before={
                "commit": commit,
                "deploys": json_texts(each.id for each in deploys.all if ours is None or each.id != ours.id),
            },
        )

    async def probe(self, ctx: Context) -> Probe:
        """Done when our deploy is live; Unknown when a commit that contains ours is."""
        followed = self._followed(ctx)
        with in_production(ctx, LOOK_AT_DEPLOYS):
            deploys = await self._following.deploys(followed)
            evidence = arrived(followed, deploys)
            if evidence is not None:
                return Done(evidence)
            superseding = await self._following.superseding(followed, deploys)
        if superseding is not None:
            return Unknown(superseded_text(followed, superseding), (Line(described(superseding)),))
        ours = deploys.ours
        return NotDone(f"Its deploy is {STATUS_WORDS[ours.status]}." if ours is not None else "No deploy of it began.")

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Start it unless it is on its way, then follow. Raises StepFailed when another end comes of it."""
        followed = self._followed(ctx)
        with in_production(ctx, LOOK_AT_DEPLOYS):
            if (await self._following.deploys(followed)).ours is None:
                await report(Progress(f"deploying {short(followed.commit)} to {followed.service.name} by commit"))
                await deploy_by_commit(self._hosting, ctx.clock, followed.service.id, followed.commit)
            return await self._following.follow(ctx, report, followed)

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """The service runs that commit; after a switch of the database, from a deploy that began later."""
        service = ctx.plan.service(str(ctx.step.params.get("service", "")))
        with in_production(ctx, LOOK_AT_DEPLOYS):
            expected = str(evidence.data.get("commit", "")) or await commit_to_run(ctx, self._repository)
            followed = Followed(service, expected, (), _WORDS)
            deploys = await self._following.deploys(followed)
        live = deploys.live
        if live is None or live.commit != expected:
            problem = f"{service.name} does not run {short(expected)}."
        elif _outdated(ctx, live):
            problem = f"{service.name} runs {short(expected)} from before the database was switched."
        else:
            return
        remedy = f"{LOOK_AT_DEPLOYS} {_AGAIN}"
        raise VerificationFailed(problem, production=production(ctx, followed, deploys), remedy=remedy)

    @staticmethod
    def _followed(ctx: Context) -> Followed:
        before = recorded_before(ctx)
        service = ctx.plan.service(str(ctx.step.params.get("service", "")))
        return Followed(service, before.text("commit"), before.texts("deploys"), _WORDS)


def _still_counts(ctx: Context, commit: str, deploys: tuple[Deploy, ...]) -> Deploy | None:
    """The newest deploy of the commit, when it is live or on its way there, and stays: then no other is needed."""
    ours = next((each for each in deploys if each.commit == commit), None)
    if ours is not None and any(not each.status.ended for each in deploys[: deploys.index(ours)]):
        return None  # what is being deployed after it replaces it
    if ours is None or ours.status.failed or ours.status is DeployStatus.DEACTIVATED or _outdated(ctx, ours):
        return None
    return ours


def _outdated(ctx: Context, deploy: Deploy) -> bool:
    """Whether a deploy began before the services were pointed at the database that they are to use."""
    switched = switched_at(ctx)
    return switched is not None and deploy.created_at < switched - _GRAIN
