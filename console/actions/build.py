"""Following the deploy of the released commit, and of no other, until it is live.

What ends otherwise is told with what production runs instead and, where somebody else's deploy is the reason,
whose it is. Superseded by a commit that contains ours, only a person can say whether that is the release.
"""

from dataclasses import dataclass

from console.actions.deploys import Deploys, described, read_deploys, running_sentence
from console.actions.handover import Record, left_by, moment_text
from console.actions.production import in_production, state_of_schema
from console.actions.released import released_commit
from console.actions.waiting import looks, paced, patience
from console.actions.wording import at, lasting, short
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
    Section,
    Tone,
    Unknown,
)
from console.domain.plan import Json, Service
from console.errors import OutcomeUnknown, StepFailed, Stopped, VerificationFailed
from console.ports import Context, Hosting, Report, Repository

_TIMES_PLANNED = 3.0
_LEAST_PATIENCE = 60.0
_PLANNED_TO_APPEAR = 180.0
_LEAST_TO_APPEAR = 10.0
_REMEDY = "Look at the service's deploys in the provider's dashboard."
_WORDS = {
    DeployStatus.CREATED: "created",
    DeployStatus.QUEUED: "queued",
    DeployStatus.BUILD: "building",
    DeployStatus.PRE_DEPLOY: "running its pre-deploy command",
    DeployStatus.UPDATE: "switching over",
    DeployStatus.LIVE: "live",
    DeployStatus.DEACTIVATED: "replaced",
    DeployStatus.BUILD_FAILED: "build failed",
    DeployStatus.PRE_DEPLOY_FAILED: "pre-deploy command failed",
    DeployStatus.UPDATE_FAILED: "switching over failed",
    DeployStatus.CANCELED: "cancelled",
}


@dataclass(frozen=True, slots=True)
class _Followed:
    """A service with the commit that it is to run and the deploy ids that were there before the push."""

    service: Service
    commit: str
    known: tuple[str, ...]
    unchanged: bool


class BuildFollow:
    """`build.follow`: follow the service's deploy of the released commit to `live`.

    Durable progress on each change of status: `deploy` ({`service`, `deploy`, `status`, `commit`, `trigger`}).
    Evidence: `service` (key), `deploy`, `commit`, `status`, `trigger`, `created_at`, `live_at`, `seconds`; for a
    service that the release leaves unchanged `status` is `unchanged` and `commit` what it runs.
    """

    destructive = False

    def __init__(self, hosting: Hosting, repository: Repository) -> None:
        self._hosting = hosting
        self._repository = repository

    async def preview(self, ctx: Context) -> Preview:
        """Which commit is waited for on which service, and what it runs now."""
        with in_production(ctx, _REMEDY):
            followed = await self._followed(ctx)
            deploys = await self._deploys(followed)
        live = deploys.live
        return Preview(
            summary=f"Follow the deploy of {short(followed.commit)} on {followed.service.name} until it is live",
            facts=(Fact("service", followed.service.name), Fact("commit", followed.commit)),
            readings=(Reading("runs now", described(live) if live is not None else "nothing"),),
        )

    async def probe(self, ctx: Context) -> Probe:
        """Done when the deploy is live; Unknown when a descendant of it is."""
        with in_production(ctx, _REMEDY):
            followed = await self._followed(ctx)
            deploys = await self._deploys(followed)
            evidence = _arrived(followed, deploys)
            if evidence is not None:
                return Done(evidence)
            superseding = await self._superseding(followed, deploys)
        if superseding is not None:
            return Unknown(_superseded_text(followed, superseding), (Line(described(superseding)),))
        ours = deploys.ours
        return NotDone(f"Its deploy is {_WORDS[ours.status]}." if ours is not None else "No deploy of it was seen yet.")

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Follow. Raises StepFailed when it fails, is cancelled, or another commit is live instead."""
        with in_production(ctx, _REMEDY):
            followed = await self._followed(ctx)
            limit = patience(ctx.step.planned, ctx.clock, times=_TIMES_PLANNED, floor=_LEAST_PATIENCE)
            to_appear = paced(_PLANNED_TO_APPEAR, ctx.clock, floor=_LEAST_TO_APPEAR)
            told = ""
            async for elapsed in looks(ctx.clock, limit):
                deploys = await self._deploys(followed)
                ours = deploys.ours
                told = await _tell(ctx, report, followed, ours, elapsed, told)
                evidence = _arrived(followed, deploys)
                if evidence is not None:
                    return evidence
                await self._raise_if_lost(ctx, followed, deploys, waited_enough=elapsed >= to_appear)
                if ctx.stopping():
                    raise Stopped("Following was stopped; the deploy itself goes on at the provider.")
            raise StepFailed(
                f"{followed.service.name}: the deploy of {short(followed.commit)} is not live after {lasting(limit)}.",
                production=_production(ctx, followed, deploys),
                remedy=f"{_REMEDY} Retry goes on waiting.",
                lines=tuple(f"{_WORDS[d.status]}: {described(d)}" for d in deploys.all[:3]),
            )

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """The service runs the released commit now."""
        with in_production(ctx, _REMEDY):
            followed = await self._followed(ctx)
            deploys = await self._deploys(followed)
            live = deploys.live
        expected = str(evidence.data.get("commit", followed.commit))
        if live is None or live.commit != expected:
            raise VerificationFailed(
                f"{followed.service.name} does not run {short(expected)}.",
                production=_production(ctx, followed, deploys),
                remedy=f"{_REMEDY} Reopen the push to deploy the commit once more.",
            )

    async def _followed(self, ctx: Context) -> _Followed:
        service = ctx.plan.service(str(ctx.step.params.get("service", "")))
        commit = await released_commit(ctx, self._repository)
        pushed = left_by(ctx, "source.push") or Record("the push", {})
        known = pushed.record("deploys_before").texts(service.key)
        unchanged = pushed.record("services").data.get(service.key) == "unchanged"
        return _Followed(service, commit, known, unchanged)

    async def _deploys(self, followed: _Followed) -> Deploys:
        return await read_deploys(self._hosting, followed.service.id, followed.commit, followed.known)

    async def _raise_if_lost(self, ctx: Context, followed: _Followed, deploys: Deploys, *, waited_enough: bool) -> None:
        """Raise when our deploy cannot become live any more."""
        superseding = await self._superseding(followed, deploys)
        if superseding is not None:
            raise OutcomeUnknown(
                _superseded_text(followed, superseding),
                remedy="Say whether that is the release: done by hand if it is, or deploy our commit again.",
                lines=(described(superseding),),
            )
        ours = deploys.ours
        name, production = followed.service.name, _production(ctx, followed, deploys)
        if ours is None:
            if waited_enough:
                raise _never_came(followed, deploys, production)
            return
        if ours.status is DeployStatus.CANCELED:
            by = deploys.newer_foreign(ours)
            why = f" by somebody else's deploy {described(by)}" if by is not None else ""
            raise StepFailed(
                f"{name}: the deploy of {short(followed.commit)} was cancelled{why}.",
                production=production,
                remedy="Find out who deployed. Reopening the push deploys the release's commit once more.",
                lines=tuple(f"{_WORDS[d.status]}: {described(d)}" for d in deploys.foreign),
            )
        if ours.status.failed:
            raise StepFailed(
                f"{name}: {_WORDS[ours.status]} for {short(followed.commit)} (deploy {ours.id}).",
                production=production,
                remedy="Read the build's log. Reopening the push deploys the commit once more; a mended commit "
                "needs the steps from the merge on again.",
            )
        if ours.status is DeployStatus.DEACTIVATED:
            by = deploys.newer_foreign(ours)
            raise StepFailed(
                f"{name}: the deploy of {short(followed.commit)} was live and has been replaced"
                + (f" by {described(by)}." if by is not None else "."),
                production=production,
                remedy="Find out who deployed. Reopening the push deploys the release's commit once more.",
            )

    async def _superseding(self, followed: _Followed, deploys: Deploys) -> Deploy | None:
        """The live deploy of a commit that contains ours, when there is one."""
        live = deploys.live
        if live is None or live.commit == followed.commit or live.id in followed.known or not live.commit:
            return None
        await self._repository.fetch()
        contains = await self._repository.is_ancestor(followed.commit, live.commit)
        return live if contains else None


def _production(ctx: Context, followed: _Followed, deploys: Deploys) -> str:
    return f"{running_sentence(followed.service.name, deploys)} {state_of_schema(ctx)}"


def _arrived(followed: _Followed, deploys: Deploys) -> Evidence | None:
    """Evidence when the service runs what it should; None while it does not."""
    live, ours = deploys.live, deploys.ours
    if followed.unchanged and live is not None:
        data: dict[str, Json] = {
            "service": followed.service.key,
            "deploy": live.id,
            "commit": live.commit,
            "status": "unchanged",
            "trigger": live.trigger,
        }
        return Evidence(f"unchanged by this release; runs {short(live.commit)}", data)
    if live is None or ours is None or live.id != ours.id:
        return None
    live_at = ours.finished_at or ours.created_at
    seconds = (live_at - ours.created_at).total_seconds()
    return Evidence(
        f"{short(ours.commit)} is live since {at(live_at)}, after {lasting(seconds)}",
        {
            "service": followed.service.key,
            "deploy": ours.id,
            "commit": ours.commit,
            "status": ours.status.value,
            "trigger": ours.trigger,
            "created_at": moment_text(ours.created_at),
            "live_at": moment_text(live_at),
            "seconds": seconds,
        },
        (Section("Deploy", (Line(described(ours), tone=Tone.GOOD),)),),
    )


def _never_came(followed: _Followed, deploys: Deploys, production: str) -> StepFailed:
    """Why no deploy of our commit can be expected any more."""
    name, foreign = followed.service.name, deploys.foreign
    if foreign:
        return StepFailed(
            f"{name}: the push led to a deploy of another commit: {_WORDS[foreign[0].status]} {described(foreign[0])}; "
            f"none of {short(followed.commit)}.",
            production=production,
            remedy="Look at the service's branch and repository in its settings. Reopening the push deploys the "
            "release's commit by name.",
            lines=tuple(f"{_WORDS[deploy.status]}: {described(deploy)}" for deploy in foreign),
        )
    return StepFailed(
        f"{name}: no deploy of {short(followed.commit)} has appeared since the push.",
        production=production,
        remedy="Look at the service's autodeploy setting and events. Reopening the push deploys the commit by name.",
    )


def _superseded_text(followed: _Followed, live: Deploy) -> str:
    return (
        f"{followed.service.name} runs {short(live.commit)}, which contains the release {short(followed.commit)} "
        "and more: somebody deployed after the push."
    )


async def _tell(
    ctx: Context, report: Report, followed: _Followed, ours: Deploy | None, elapsed: float, told: str
) -> str:
    """Report the deploy; durably when its status changed. Returns what was told last."""
    name = followed.service.name
    if ours is None:
        await report(Progress(f"{name}: waiting for the deploy of {short(followed.commit)} to appear"))
        return told
    text = f"{name}: {_WORDS[ours.status]}, {lasting(elapsed)}"
    planned = ctx.step.planned.high / ctx.clock.pace if ctx.step.planned is not None else 0.0
    share = min(elapsed / planned, 0.99) if planned else None
    seen = f"{ours.id} {ours.status}"
    deploy: dict[str, Json] = {
        "service": followed.service.key,
        "deploy": ours.id,
        "status": ours.status.value,
        "commit": ours.commit,
        "trigger": ours.trigger,
    }
    changed = seen != told
    await report(Progress(text, share=share, data={"deploy": deploy} if changed else {}, durable=changed))
    return seen
