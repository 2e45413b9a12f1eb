"""Following the deploy of the released commit, and of no other, until it is live.

What ends otherwise is told with what production runs instead and, where somebody else's deploy is the reason,
whose it is. Superseded by a commit that contains ours, only a person can say whether that is the release.
"""

from console.actions.deploys import Deploys, described
from console.actions.following import (
    LOOK_AT_DEPLOYS,
    STATUS_WORDS,
    Followed,
    Following,
    arrived,
    production,
    superseded_text,
)
from console.actions.handover import Record, left_by
from console.actions.production import in_production
from console.actions.released import released_commit
from console.actions.wording import short
from console.domain.outcome import Done, Evidence, Fact, Line, NotDone, Preview, Probe, Reading, Unknown
from console.domain.plan import Json
from console.errors import VerificationFailed
from console.ports import Context, Hosting, Report, Repository, Telemetry


class BuildFollow:
    """`build.follow`: follow the service's deploy of the released commit to `live`.

    Durable progress on each change of status: `deploy` ({`service`, `deploy`, `status`, `commit`, `trigger`}).
    Evidence: that of `console.actions.following.arrived`; for a service that the release leaves unchanged `status` is
    `unchanged` and `commit` what it runs.
    """

    destructive = False

    def __init__(self, hosting: Hosting, repository: Repository, telemetry: Telemetry | None = None) -> None:
        self._following = Following(hosting, repository, telemetry)
        self._repository = repository

    async def preview(self, ctx: Context) -> Preview:
        """Which commit is waited for on which service, and what it runs now."""
        with in_production(ctx, LOOK_AT_DEPLOYS):
            followed = await self._followed(ctx)
            live = (await self._following.deploys(followed)).live
        return Preview(
            summary=f"Follow the deploy of {short(followed.commit)} on {followed.service.name} until it is live",
            facts=(Fact("service", followed.service.name), Fact("commit", followed.commit)),
            readings=(Reading("runs now", described(live) if live is not None else "nothing"),),
        )

    async def probe(self, ctx: Context) -> Probe:
        """Done when the deploy is live; Unknown when a descendant of it is."""
        with in_production(ctx, LOOK_AT_DEPLOYS):
            followed = await self._followed(ctx)
            deploys = await self._following.deploys(followed)
            evidence = _unchanged(ctx, followed, deploys) or arrived(followed, deploys)
            if evidence is not None:
                return Done(evidence)
            superseding = await self._following.superseding(followed, deploys)
        if superseding is not None:
            return Unknown(superseded_text(followed, superseding), (Line(described(superseding)),))
        ours = deploys.ours
        words = f"Its deploy is {STATUS_WORDS[ours.status]}." if ours is not None else "No deploy of it was seen yet."
        return NotDone(words)

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Follow. Raises StepFailed when it fails, is cancelled, or another commit is live instead."""
        with in_production(ctx, LOOK_AT_DEPLOYS):
            followed = await self._followed(ctx)
            unchanged = _unchanged(ctx, followed, await self._following.deploys(followed))
            return unchanged or await self._following.follow(ctx, report, followed)

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """The service runs the released commit now."""
        with in_production(ctx, LOOK_AT_DEPLOYS):
            followed = await self._followed(ctx)
            deploys = await self._following.deploys(followed)
        live = deploys.live
        expected = str(evidence.data.get("commit", followed.commit))
        if live is None or live.commit != expected:
            raise VerificationFailed(
                f"{followed.service.name} does not run {short(expected)}.",
                production=production(ctx, followed, deploys),
                remedy=f"{LOOK_AT_DEPLOYS} Reopen the push to deploy the commit once more.",
            )

    async def _followed(self, ctx: Context) -> Followed:
        service = ctx.plan.service(str(ctx.step.params.get("service", "")))
        commit = await released_commit(ctx, self._repository)
        return Followed(service, commit, _pushed(ctx).record("deploys_before").texts(service.key))


def _pushed(ctx: Context) -> Record:
    return left_by(ctx, "source.push") or Record("the push", {})


def _unchanged(ctx: Context, followed: Followed, deploys: Deploys) -> Evidence | None:
    """Evidence for a service that the release leaves as it is; None for any other."""
    live, service = deploys.live, followed.service
    if live is None or _pushed(ctx).record("services").data.get(service.key) != "unchanged":
        return None
    data: dict[str, Json] = {
        "service": service.key,
        "deploy": live.id,
        "commit": live.commit,
        "status": "unchanged",
        "trigger": live.trigger,
    }
    return Evidence(f"unchanged by this release; runs {short(live.commit)}", data)
