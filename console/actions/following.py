"""Following one deploy of a commit until it is live, and telling what happened when it ends otherwise.

What always holds: only a deploy of that commit that was not known before counts as ours; whoever else's deploy is the
reason of another end is named by id, trigger and commit, and so is what production runs instead.
"""

from dataclasses import dataclass
from datetime import timedelta

from console.actions.deploys import Deploys, described, read_deploys, running_sentence
from console.actions.handover import moment_text
from console.actions.production import state_of_schema
from console.actions.waiting import looks, paced, patience
from console.actions.wording import at, lasting, listed, short
from console.domain.hosting import Deploy, DeployStatus
from console.domain.outcome import Evidence, Line, Progress, Section, Tone
from console.domain.plan import Json, Service
from console.domain.released import live_builds, migrated
from console.domain.untrusted import safe
from console.errors import HostingError, OutcomeUnknown, StepFailed, Stopped
from console.ports import Context, Hosting, Report, Repository, Telemetry

_TIMES_PLANNED = 3.0
_LEAST_PATIENCE = 60.0
_PLANNED_TO_APPEAR = 180.0
_LEAST_TO_APPEAR = 10.0
_LAST_LINES = 5
_LOG_MAY_BE_LATE = timedelta(seconds=5)
LOOK_AT_DEPLOYS = "Look at the service's deploys in the provider's dashboard."
STATUS_WORDS = {
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
class Words:
    """How errors speak of what is followed.

    `what` names the commit, `since` what should have led to the deploy. `again` says how it is deployed once more,
    `mended` what a failed build asks for, `by_name` how the deploy is started when none came.
    """

    what: str
    since: str
    again: str
    mended: str
    by_name: str


RELEASE_WORDS = Words(
    what="the release",
    since="the push",
    again="Reopening the push deploys the release's commit once more.",
    mended="Reopening the push deploys the commit once more; a mended commit needs the steps from the merge on again.",
    by_name="Reopening the push deploys the commit by name.",
)


@dataclass(frozen=True, slots=True)
class Followed:
    """A service with the commit that it is to run, and the deploys that were known before and are not ours."""

    service: Service
    commit: str
    known: tuple[str, ...]
    words: Words = RELEASE_WORDS


class Following:
    """Looks at the deploys of a service until ours is live. Raises HostingError, RepositoryError."""

    def __init__(self, hosting: Hosting, repository: Repository, telemetry: Telemetry | None = None) -> None:
        self._hosting = hosting
        self._repository = repository
        self._telemetry = telemetry

    async def deploys(self, followed: Followed) -> Deploys:
        """The service's deploys as they are now."""
        return await read_deploys(self._hosting, followed.service.id, followed.commit, followed.known)

    async def follow(self, ctx: Context, report: Report, followed: Followed) -> Evidence:
        """Follow ours to live. Raises StepFailed, OutcomeUnknown or Stopped, saying what production runs."""
        limit = patience(ctx.step.planned, ctx.clock, times=_TIMES_PLANNED, floor=_LEAST_PATIENCE)
        to_appear = paced(_PLANNED_TO_APPEAR, ctx.clock, floor=_LEAST_TO_APPEAR)
        told = ""
        async for elapsed in looks(ctx.clock, limit):
            deploys = await self.deploys(followed)
            told = await _tell(ctx, report, followed, deploys.ours, elapsed, told)
            evidence = arrived(followed, deploys)
            if evidence is not None:
                return evidence
            await self._raise_if_lost(ctx, followed, deploys, waited_enough=elapsed >= to_appear)
            if ctx.stopping():
                raise Stopped("Following was stopped; the deploy itself goes on at the provider.")
        raise StepFailed(
            f"{followed.service.name}: the deploy of {short(followed.commit)} is not live after {lasting(limit)}.",
            production=production(ctx, followed, deploys),
            remedy=f"{LOOK_AT_DEPLOYS} Retry goes on waiting.",
            lines=tuple(f"{STATUS_WORDS[d.status]}: {described(d)}" for d in deploys.all[:3]),
        )

    async def superseding(self, followed: Followed, deploys: Deploys) -> Deploy | None:
        """The live deploy of a commit that contains ours, when there is one."""
        live = deploys.live
        if live is None or live.commit == followed.commit or live.id in followed.known or not live.commit:
            return None
        await self._repository.fetch()
        contains = await self._repository.is_ancestor(followed.commit, live.commit)
        return live if contains else None

    async def _raise_if_lost(self, ctx: Context, followed: Followed, deploys: Deploys, *, waited_enough: bool) -> None:
        """Raise when our deploy cannot become live any more."""
        words = followed.words
        superseding = await self.superseding(followed, deploys)
        if superseding is not None:
            raise OutcomeUnknown(
                superseded_text(followed, superseding),
                remedy=f"Say whether that is {words.what}: done by hand if it is, or deploy our commit again.",
                lines=(described(superseding),),
            )
        ours = deploys.ours
        name, state = followed.service.name, production(ctx, followed, deploys)
        if ours is None:
            if waited_enough:
                raise _never_came(followed, deploys, state)
            return
        if ours.status is DeployStatus.CANCELED:
            by = deploys.newer_foreign(ours)
            why = f" by somebody else's deploy {described(by)}" if by is not None else ""
            raise StepFailed(
                f"{name}: the deploy of {short(followed.commit)} was cancelled{why}.",
                production=state,
                remedy=f"Find out who deployed. {words.again}",
                lines=tuple(f"{STATUS_WORDS[d.status]}: {described(d)}" for d in deploys.foreign),
            )
        if ours.status.failed:
            raise StepFailed(
                f"{name}: {STATUS_WORDS[ours.status]} for {short(followed.commit)} (deploy {ours.id}).",
                production=state,
                remedy=f"Read the build's log. {words.mended}",
                lines=await self._last_words(ctx, followed, ours),
            )
        if ours.status is DeployStatus.DEACTIVATED:
            by = deploys.newer_foreign(ours)
            raise StepFailed(
                f"{name}: the deploy of {short(followed.commit)} was live and has been replaced"
                + (f" by {described(by)}." if by is not None else "."),
                production=state,
                remedy=f"Find out who deployed. {words.again}",
            )

    async def _last_words(self, ctx: Context, followed: Followed, deploy: Deploy) -> tuple[str, ...]:
        """The last lines of a build that failed, as the provider has them; why there are none, where it has not."""
        if self._telemetry is None:
            return ()
        until = max(deploy.finished_at or deploy.created_at, await self._hosting.now()) + _LOG_MAY_BE_LATE
        try:
            page = await self._telemetry.logs(
                (followed.service.id,),
                start=deploy.created_at,
                end=until,
                kinds=("build",),
                limit=_LAST_LINES,
                direction="backward",
            )
        except HostingError as error:
            return (f"The build's log could not be read: {error.message}",)
        said = sorted(page.entries, key=lambda entry: entry.at)[-_LAST_LINES:]
        return tuple(f"{entry.at:%H:%M:%S} {safe(entry.text)}" for entry in said)


def production(ctx: Context, followed: Followed, deploys: Deploys) -> str:
    """What the service runs, which schema the database has, and who meets the wrong one of the two meanwhile."""
    running = running_sentence(followed.service.name, deploys, what=followed.words.what)
    return " ".join(each for each in (running, state_of_schema(ctx), _out_of_step(ctx)) if each)


def _out_of_step(ctx: Context) -> str:
    """Which services run the release on the schema from before it; empty when none does."""
    if migrated(ctx.state) or ctx.state.rollback is not None:
        return ""
    keys = [str(each.step.params.get("service", "")) for each in live_builds(ctx.state)]
    names = [service.name for service in ctx.plan.services if service.key in keys]
    if not names:
        return ""
    verb = "runs" if len(names) == 1 else "run"
    columns = listed(ctx.plan.migration.added)
    return f"{listed(names)} {verb} the release on the old schema: what needs {columns} fails there."


def arrived(followed: Followed, deploys: Deploys) -> Evidence | None:
    """Evidence when our deploy is live; None while it is not.

    Data: `service` (key), `deploy`, `commit`, `status`, `trigger`, `created_at`, `live_at`, `seconds`.
    """
    live, ours = deploys.live, deploys.ours
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


def superseded_text(followed: Followed, live: Deploy) -> str:
    """That the service runs a commit which contains ours."""
    return (
        f"{followed.service.name} runs {short(live.commit)}, which contains {followed.words.what} "
        f"{short(followed.commit)} and more: somebody deployed after {followed.words.since}."
    )


def _never_came(followed: Followed, deploys: Deploys, state: str) -> StepFailed:
    """Why no deploy of our commit can be expected any more."""
    name, foreign, words = followed.service.name, deploys.foreign, followed.words
    if foreign:
        return StepFailed(
            f"{name}: {words.since} led to a deploy of another commit: {STATUS_WORDS[foreign[0].status]} "
            f"{described(foreign[0])}; none of {short(followed.commit)}.",
            production=state,
            remedy=f"Look at the service's branch and repository in its settings. {words.by_name}",
            lines=tuple(f"{STATUS_WORDS[deploy.status]}: {described(deploy)}" for deploy in foreign),
        )
    return StepFailed(
        f"{name}: no deploy of {short(followed.commit)} has appeared since {words.since}.",
        production=state,
        remedy=f"Look at the service's autodeploy setting and events. {words.by_name}",
    )


async def _tell(
    ctx: Context, report: Report, followed: Followed, ours: Deploy | None, elapsed: float, told: str
) -> str:
    """Report the deploy; durably when its status changed. Returns what was told last."""
    name = followed.service.name
    if ours is None:
        await report(Progress(f"{name}: waiting for the deploy of {short(followed.commit)} to appear"))
        return told
    text = f"{name}: {STATUS_WORDS[ours.status]}, {lasting(elapsed)}"
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
