"""The provider serves the build from before again, while the revert is being built: quick, and only where it is safe.

What always holds: the build that comes back brings the environment variables that it had, so this is refused once the
services were pointed at another database, and while the database has the new schema.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from console.actions.databases import Databases
from console.actions.deploys import described, read_deploys
from console.actions.following import LOOK_AT_DEPLOYS, STATUS_WORDS
from console.actions.handover import Record, json_texts, left_by, recorded_before, unfinished
from console.actions.production import in_production
from console.actions.rollback.database_ground import led_elsewhere
from console.actions.rollback.journaled import SWITCH, attempted
from console.actions.rollback.on_branch import Span, release_span, runs
from console.actions.waiting import in_time, looks, paced
from console.actions.wording import counted, lasting, listed, short
from console.domain.hosting import Deploy, DeployStatus
from console.domain.outcome import Done, Evidence, Fact, Line, NotDone, Preview, Probe, Progress, Reading, Tone
from console.domain.plan import Json, Service
from console.domain.standing import Runs
from console.errors import HostingError, OutcomeUnknown, RepositoryError, StepFailed, Stopped, VerificationFailed
from console.migration import catalog
from console.ports import Context, Hosting, Report, Repository, Switches

_PLANNED = 180.0
_LEAST = 60.0
_SECONDS_TO_APPEAR = 6.0
_SKIP = "Leave this step out: the revert that is built next replaces the release all the same."
ROLLBACK_TRIGGER = "rollback"


@dataclass(frozen=True, slots=True)
class _Target:
    """A service that runs the release, and the deploy that was live before."""

    service: Service
    runs: Deploy
    earlier: Deploy
    known: tuple[str, ...]


class PreviousBuild:
    """`rollback.previous_build`: have the provider serve, on each service that runs the release, the build from before.

    before: `targets` ({key: {`deploy`, `commit`}}), `deploys` ({key: ids known before}).
    Durable progress: `rolled_back` (key).
    Evidence: `services` ({key: {`deploy`, `commit`}}): the deploys that are live now.
    """

    destructive = True

    def __init__(self, hosting: Hosting, repository: Repository, switches: Switches, databases: Databases) -> None:
        self._hosting = hosting
        self._repository = repository
        self._switches = switches
        self._databases = databases

    async def preview(self, ctx: Context) -> Preview:
        """Which build comes back where. Raises StepFailed where it would harm, or there is none."""
        with in_production(ctx, LOOK_AT_DEPLOYS):
            await self._refuse_harm(ctx)
            targets, unread = await self._targets(ctx)
        return Preview(
            summary=f"Serve the previous build on {listed(t.service.name for t in targets)}"
            if targets
            else "No service runs the release: there is nothing to be replaced",
            facts=tuple(Fact(t.service.name, f"{t.earlier.id}, commit {t.earlier.commit}") for t in targets),
            readings=(*(Reading(f"{t.service.name} runs now", described(t.runs)) for t in targets), *unread),
            consequences=(
                Line("No build: the provider keeps it, so it serves within moments.", tone=Tone.GOOD),
                Line(
                    "The build brings the environment variables that it was deployed with: after the database was "
                    "switched it would lead back to the old one. It was not; this step refuses itself once it is.",
                    tone=Tone.WARNING,
                ),
                Line("It does not switch autodeploy off; the step before has.", tone=Tone.QUIET),
            ),
            before={
                "targets": {t.service.key: {"deploy": t.earlier.id, "commit": t.earlier.commit} for t in targets},
                "deploys": {t.service.key: json_texts(t.known) for t in targets},
            },
        )

    async def probe(self, ctx: Context) -> Probe:
        """Done when every service of `before` runs the build from before, from a deploy that began since."""
        before = recorded_before(ctx)
        found: dict[str, Deploy] = {}
        with in_production(ctx, LOOK_AT_DEPLOYS):
            for key in before.record("targets").data:
                ours = await self._ours(ctx, before, key)
                if ours is None or ours.status is not DeployStatus.LIVE:
                    status = STATUS_WORDS[ours.status] if ours is not None else "not begun"
                    return NotDone(f"The previous build of {ctx.plan.service(key).name} is {status}.")
                found[key] = ours
        return Done(_evidence(ctx, found))

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Ask for each and follow to live, side by side. Raises StepFailed naming the service that did not come."""
        before = recorded_before(ctx)
        keys = list(before.record("targets").data)
        with in_production(ctx, f"{LOOK_AT_DEPLOYS} {_SKIP}"):
            done = await asyncio.gather(
                *(self._roll_back(ctx, report, before, key) for key in keys), return_exceptions=True
            )
            # Each is seen to its end first: no service is left unattended because of another.
            for each in done:
                if isinstance(each, BaseException):
                    raise each
        return _evidence(ctx, {k: d for k, d in zip(keys, done, strict=True) if isinstance(d, Deploy)})

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """No service runs the release any more."""
        with in_production(ctx, f"{LOOK_AT_DEPLOYS} {_SKIP}"):
            left, _ = await self._targets(ctx)
        if left:
            raise VerificationFailed(f"{listed(t.service.name for t in left)} still run the release.")

    async def _refuse_harm(self, ctx: Context) -> None:
        if attempted(ctx.state, SWITCH):
            raise StepFailed("The services were pointed at another database: the old build leads back.", remedy=_SKIP)
        home = ctx.plan.database
        other = await led_elsewhere(self._switches, ctx.plan, await self._databases.places(home.postgres_id))
        if other:
            name, _, place = other[0].partition(" → ")
            raise StepFailed(f"{name} uses {place}, not {home.name}: its old build may lead elsewhere.", remedy=_SKIP)
        database = await self._databases.of(ctx.plan, home.postgres_id)
        table = await catalog.resolve_table(database, ctx.plan.migration.table)
        columns = await catalog.columns_state(database, ctx.plan.migration, table)
        if not columns.untouched:
            raise StepFailed(
                f"{ctx.plan.migration.table} does not have the columns from before: the old build fails on it.",
                remedy="Build the schema back first. " + _SKIP,
            )

    async def _targets(self, ctx: Context) -> tuple[tuple[_Target, ...], tuple[Reading, ...]]:
        """The services that run the release, and a word where the repository's host did not answer."""
        unread: tuple[Reading, ...] = ()
        try:
            await in_time(self._repository.fetch(), RepositoryError)
        except RepositoryError as error:
            # The release and what was live before it are in the clone: the provider needs nothing else.
            unread = (Reading("repository", f"as last fetched: {error.message}", Tone.WARNING),)
        span = await release_span(ctx.state, self._repository)
        services = ctx.plan.services_in("production")
        found = [await self._target(ctx, service, span) for service in services]
        return tuple(each for each in found if each is not None), unread

    async def _target(self, ctx: Context, service: Service, span: Span) -> _Target | None:
        deploys = await read_deploys(self._hosting, service.id, span.commit, ())
        live = deploys.live
        if live is None or not live.commit or await runs(self._repository, span, live.commit) is not Runs.NEW:
            return None
        pushed = left_by(ctx, "source.push") or Record("the push", {})
        known = pushed.record("deploys_before").texts(service.key)
        were_live = [d for d in deploys.all if d.status is DeployStatus.DEACTIVATED and d.commit]
        # What the run saw before its push comes first: it was certainly not the release.
        for each in sorted(were_live, key=lambda deploy: deploy.id not in known):
            if await runs(self._repository, span, each.commit) is Runs.OLD:
                ours = _asked_before(ctx, service, each)
                return _Target(service, live, each, tuple(d.id for d in deploys.all if not ours(d)))
        raise StepFailed(
            f"The provider no longer lists a deploy of {service.name} from before the release.", remedy=_SKIP
        )

    async def _ours(self, ctx: Context, before: Record, key: str) -> Deploy | None:
        """The deploy of the earlier build that began since `before`."""
        known, commit = before.record("deploys").texts(key), before.record("targets").record(key).text("commit")
        deploys = await self._hosting.deploys(ctx.plan.service(key).id)
        return next((d for d in deploys if d.id not in known and d.commit == commit), None)

    async def _roll_back(self, ctx: Context, report: Report, before: Record, key: str) -> Deploy:
        service = ctx.plan.service(key)
        if await self._ours(ctx, before, key) is None:
            await report(Progress(f"{service.name}: asking for the previous build"))
            await self._ask(ctx, before, key)
            await report(Progress(f"{service.name}: asked for", data={"rolled_back": key}, durable=True))
        limit = paced(_PLANNED, ctx.clock, floor=_LEAST)
        ours: Deploy | None = None
        async for elapsed in looks(ctx.clock, limit):
            ours = await self._ours(ctx, before, key)
            if ours is not None and ours.status is DeployStatus.LIVE:
                return ours
            if ours is not None and ours.status.ended:
                break
            status = STATUS_WORDS[ours.status] if ours is not None else "waiting for it to appear"
            await report(Progress(f"{service.name}: {status}, {lasting(elapsed)}"))
            if ctx.stopping():
                raise Stopped("Following was stopped; the deploy itself goes on at the provider.")
        ended = f"{STATUS_WORDS[ours.status]}: {described(ours)}" if ours is not None else "no deploy of it appeared"
        raise StepFailed(f"{service.name}: the previous build is not live: {ended}.", remedy=_SKIP)

    async def _ask(self, ctx: Context, before: Record, key: str) -> None:
        """Ask once; a lost answer is looked for among the deploys. Raises HostingError, OutcomeUnknown."""
        try:
            deploy = before.record("targets").record(key).text("deploy")
            await self._hosting.roll_back(ctx.plan.service(key).id, deploy)
        except HostingError as error:
            if not error.sent or (error.status is not None and error.status < 500):
                raise
            try:
                async for _ in looks(ctx.clock, _SECONDS_TO_APPEAR):
                    if await self._ours(ctx, before, key) is not None:
                        return
            except HostingError as unreachable:
                raise OutcomeUnknown(
                    f"The previous build was asked for, the answer was lost, and the deploys cannot be read either: "
                    f"{unreachable.message}",
                    remedy="When the provider answers again, let the console look for it.",
                ) from error
            raise


def _asked_before(ctx: Context, service: Service, earlier: Deploy) -> Callable[[Deploy], bool]:
    """Whether a deploy is on its way because an attempt that died had asked for this earlier build.

    Such a deploy is followed and not asked for again; one that has ended without being live counts for nothing.
    """
    record = Record(f"“{ctx.step.title}”", unfinished(ctx).before)
    died = service.key in record.record("deploys")
    known = record.record("deploys").texts(service.key)

    def ours(deploy: Deploy) -> bool:
        begun_since = died and deploy.id not in known
        again = deploy.trigger == ROLLBACK_TRIGGER and deploy.commit == earlier.commit
        return begun_since and again and not deploy.status.ended

    return ours


def _evidence(ctx: Context, found: dict[str, Deploy]) -> Evidence:
    services: dict[str, Json] = {key: {"deploy": d.id, "commit": d.commit} for key, d in found.items()}
    runs = [f"{ctx.plan.service(key).name} {short(deploy.commit)}" for key, deploy in found.items()]
    summary = f"the previous build serves on {counted(len(runs), 'service')}: {listed(runs)}"
    return Evidence(summary if runs else "no service ran the release", {"services": services})
