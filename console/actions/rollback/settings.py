"""Autodeploy is given back as it was before the rollback, and it is seen that nobody deploys anything because of it.

What always holds: the settings are those on record from before the first hold, whichever way of the run made it; what
began since our own deploy is ours or is named, also after a crash.
"""

from dataclasses import dataclass

from console.actions.deploys import described, live_deploy, read_deploys, running_sentence
from console.actions.handover import Record, recorded_before
from console.actions.production import in_production, state_of_schema
from console.actions.rollback.hold import autodeploy_now, set_autodeploy
from console.actions.rollback.journaled import commit_to_run, deployed, held_settings
from console.actions.waiting import looks, paced
from console.actions.wording import lasting, listed, short
from console.domain.hosting import Deploy, DeployStatus
from console.domain.outcome import Evidence, Fact, Line, NotDone, Preview, Probe, Progress, Section, Tone
from console.domain.plan import Json, Service
from console.errors import StepFailed, Stopped, VerificationFailed
from console.ports import Context, Hosting, Report, Repository

_WATCHED = 30.0
_LEAST_WATCHED = 2.0
_TO_SETTLE = 600.0
_REMEDY = "See that the provider can be reached and that the key may change services, then retry."


@dataclass(frozen=True, slots=True)
class _Watched:
    """A service, the commit that it runs, and the deploy that brought it: whatever began later is looked at."""

    service: Service
    commit: str
    deploy: str


class RestoreDeploys:
    """`rollback.restore_deploys`: set autodeploy as it was, then watch that nothing is redeployed.

    before: `settings` ({key: trigger}) to be set, `commits` and `deploys` ({key: id}) that run.
    Durable progress: `restored` (key).
    Evidence: `settings`, `watched` (seconds).
    """

    destructive = False

    def __init__(self, hosting: Hosting, repository: Repository) -> None:
        self._hosting = hosting
        self._repository = repository

    async def preview(self, ctx: Context) -> Preview:
        """Each service's setting, now and then."""
        with in_production(ctx, _REMEDY):
            now = await autodeploy_now(ctx, self._hosting)
            running = [await self._running(ctx, service) for service, _ in now]
        held = held_settings(ctx.state)
        wanted = {service.key: held.get(service.key, info.auto_deploy) for service, info in now}
        return Preview(
            summary="Give autodeploy back as it was, and see that nothing is redeployed",
            facts=tuple(Fact(s.name, f"autodeploy {info.auto_deploy} → {wanted[s.key]}") for s, info in now),
            consequences=(
                Line("The next push to the branch deploys again, where it did before."),
                Line(f"Watched for {lasting(_WATCHED)} of planned time: no deploy may begin that is not ours."),
            ),
            before={
                "settings": dict(wanted),
                "commits": {each.service.key: each.commit for each in running},
                "deploys": {each.service.key: each.deploy for each in running},
            },
        )

    async def probe(self, ctx: Context) -> Probe:
        """Not done: what counts is that nothing happens afterwards, and that must be watched."""
        with in_production(ctx, _REMEDY):
            differing = await self._differing(ctx, recorded_before(ctx).record("settings"))
        if differing:
            return NotDone(f"Not yet as before: {listed(differing)}.")
        return NotDone("The settings are as before; it is watched again that nothing is redeployed.")

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Set and watch. Raises StepFailed naming a deploy that is not ours, and what production runs then."""
        before = recorded_before(ctx)
        wanted = before.record("settings")
        with in_production(ctx, _REMEDY):
            for service, info in await autodeploy_now(ctx, self._hosting):
                if info.auto_deploy != wanted.text(service.key):
                    await set_autodeploy(self._hosting, service, wanted.text(service.key))
                    text = f"autodeploy of {service.name}: {wanted.text(service.key)}"
                    await report(Progress(text, data={"restored": service.key}, durable=True))
            limit = paced(_WATCHED, ctx.clock, floor=_LEAST_WATCHED)
            remarks = await self._watch(ctx, report, before, limit)
        lines = tuple(Line(f"{ctx.plan.service(key).name}: {value}") for key, value in wanted.data.items())
        sections = (Section("Autodeploy", lines), Section("Deployed since", tuple(remarks.values())))
        settings: dict[str, Json] = dict(wanted.data)
        return Evidence(
            f"as before: {listed(line.text for line in lines)}; nothing was redeployed within {lasting(limit)}",
            {"settings": settings, "watched": limit},
            tuple(section for section in sections if section.lines),
        )

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """The settings are those from before."""
        wanted = Record(f"“{ctx.step.title}”", evidence.data).record("settings")
        if not wanted.data:
            wanted = Record("the rollback", dict(held_settings(ctx.state)))
        with in_production(ctx, _REMEDY):
            differing = await self._differing(ctx, wanted)
            if differing:
                raise VerificationFailed(f"Autodeploy is not as before: {listed(differing)}.")

    async def _running(self, ctx: Context, service: Service) -> _Watched:
        """What the service is to run: our deploy, or, where the rollback made none, what is live."""
        ours = deployed(ctx, service.key)
        if ours is not None:
            return _Watched(service, ours.text("commit"), ours.text("deploy"))
        live = await live_deploy(self._hosting, service.id)
        if live is None:
            return _Watched(service, await commit_to_run(ctx, self._repository), "")
        return _Watched(service, live.commit, live.id)

    async def _differing(self, ctx: Context, wanted: Record) -> list[str]:
        return [
            f"{service.name} ({info.auto_deploy}, {wanted.text(service.key)} before)"
            for service, info in await autodeploy_now(ctx, self._hosting)
            if service.key in wanted and info.auto_deploy != wanted.text(service.key)
        ]

    async def _watch(self, ctx: Context, report: Report, before: Record, limit: float) -> dict[str, Line]:
        """Look until the time is over and no deploy is on its way; remarks on what came and changed nothing."""
        remarks: dict[str, Line] = {}
        watched = [
            _Watched(s, before.record("commits").text(s.key), before.record("deploys").text(s.key))
            for s in ctx.plan.services_in("production")
        ]
        on_their_way: list[Deploy] = []
        async for elapsed in looks(ctx.clock, limit + paced(_TO_SETTLE, ctx.clock, floor=_TO_SETTLE / 10)):
            on_their_way = []
            for each in watched:
                for deploy in await self._since(ctx, each):
                    remarks[deploy.id] = Line(described(deploy), note=f"on {each.service.name}", tone=Tone.WARNING)
                    if not deploy.status.ended:
                        on_their_way.append(deploy)
            if elapsed >= limit and not on_their_way:
                return remarks
            await report(Progress(f"watching that nothing is redeployed, {lasting(elapsed)}", share=elapsed / limit))
            if ctx.stopping():
                raise Stopped("Watching was stopped; the settings are as before.")
        raise StepFailed(
            f"A deploy of the same commit has not come to an end: {listed(described(d) for d in on_their_way)}.",
            remedy="Look at the service's deploys, then retry.",
        )

    async def _since(self, ctx: Context, watched: _Watched) -> list[Deploy]:
        """Deploys that began after ours and leave its commit running. Raises StepFailed for any other."""
        deploys = await read_deploys(self._hosting, watched.service.id, watched.commit, ())
        ours = next((d for d in deploys.all if d.id == watched.deploy), None)
        newer = [d for d in deploys.all if ours is not None and d.id != ours.id and d.created_at >= ours.created_at]
        foreign = [d for d in newer if d.commit != watched.commit and not d.status.failed]
        live, name = deploys.live, watched.service.name
        running = running_sentence(name, deploys, what="the revert")
        production = f"{running} {state_of_schema(ctx)}"
        if foreign:
            status = "is live" if foreign[0].status is DeployStatus.LIVE else "has begun"
            raise StepFailed(
                f"{name}: a deploy that is not ours {status}: {described(foreign[0])}.",
                production=production,
                remedy="Find out who or what deploys. Reopening the deploy brings the revert back.",
                lines=tuple(f"{deploy.status.value}: {described(deploy)}" for deploy in foreign),
            )
        if live is None or live.commit != watched.commit:
            raise StepFailed(
                f"{name} does not run {short(watched.commit)} any more.",
                production=production,
                remedy="Reopening the deploy brings the revert back.",
            )
        return newer
