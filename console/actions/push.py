"""The push: the point from which production changes. Everything that follows it is looked at before it.

Never forced: the remote's tip must be the one that was previewed. A push whose answer was lost is looked for at
the remote. Services that the push does not build are deployed by commit, as the plan says.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from console.actions.deploys import deploy_by_commit, read_deploys
from console.actions.guards import Guard, database_guards, guard_section, migration_guards, require
from console.actions.handover import Record, json_texts, left_by, moment_text, recorded_before
from console.actions.migration_preview import unhandled
from console.actions.production import in_production, state_of_schema, state_without_push
from console.actions.released import contains, released_commit, require_held, what_moved
from console.actions.triggers import Outlook, outlook, problems_of
from console.actions.wording import commit_section, counted, file_section, listed, short
from console.domain.hosting import ServiceInfo
from console.domain.outcome import Done, Evidence, Fact, Line, NotDone, Preview, Probe, Progress, Section, Tone
from console.domain.plan import Json, Service
from console.domain.source import FileChange
from console.errors import PushRejected, RepositoryError, StepFailed, VerificationFailed
from console.ports import Context, Database, Hosting, Report, Repository

_REMEDY = "See that the repository, the provider and the database can be reached, then retry."
_AFTERWARDS = (
    "Look at the target branch and at the services' deploys; retrying pushes and deploys only what is missing."
)


@dataclass(frozen=True, slots=True)
class _Target:
    """A service that the push concerns."""

    service: Service
    info: ServiceInfo
    outlook: Outlook
    why: str
    known: tuple[str, ...]
    problems: tuple[str, ...]
    has_it: bool = False
    """The commit is pushed already, and its deploy here is live or under way: nothing is built for it again."""

    @property
    def line(self) -> Line:
        if self.has_it:
            return Line(f"{self.service.name}: has it already, nothing is built", note=self.why, tone=Tone.QUIET)
        does = {
            Outlook.BUILD: "the push builds it",
            Outlook.DEPLOY: "the console deploys it by commit",
            Outlook.UNCHANGED: "stays as it is",
        }[self.outlook]
        text = f"{self.service.name}: tracks {self.info.branch}, autodeploy {self.info.auto_deploy}: {does}"
        return Line(text, note="; ".join(self.problems) or self.why, tone=Tone.DANGER if self.problems else Tone.PLAIN)


class SourcePush:
    """`source.push`: push the merge commit and deploy what the push does not build.

    before: `tip`, `commit`, `provider_time`, `services` ({key: build|deploy|unchanged}), `deploys` ({key: ids}).
    Durable progress: `pushed` (commit), `pushed_at`.
    Evidence: `commit`, `branch`, `old_tip`, `pushed_at` (provider's time), `services`, `deploys_before`.
    """

    destructive = True

    def __init__(self, repository: Repository, hosting: Hosting, database: Database) -> None:
        self._repository = repository
        self._hosting = hosting
        self._database = database

    async def preview(self, ctx: Context) -> Preview:
        """Commits, files, services, guards. Raises StepFailed, production untouched, when a guard is broken."""
        with in_production(ctx, _REMEDY):
            commit = await self._commit(ctx)
            await self._repository.fetch()
            tip = await self._repository.tip(ctx.plan.release.target)
            await require_held(
                *(ctx, self._repository, commit, tip),
                what="merge commit",
                production=state_without_push(ctx),
                remedy="Go back to the merge: it is made anew in this machine's clone.",
            )
            pushed = await self._repository.is_ancestor(commit, tip)
            if not pushed:
                await self._check_tip(ctx, tip)
            base = await self._base(ctx, commit, tip)
            files = await self._repository.changes(base, commit)
            targets = await self._targets(ctx, commit, files, pushed)
            guards = await self._guards(ctx, commit, targets, pushed)
            require(guards, f"Not pushed to {ctx.plan.release.target}")
            commits = await self._repository.commits(base, commit)
            provider_time = await self._hosting.now()
        target = ctx.plan.release.target
        return Preview(
            summary=f"Push {short(commit)} to {target}: {counted(len(commits), 'commit')}, "
            f"{counted(len(files), 'file')}, {counted(len(targets), 'service')}"
            if not pushed
            else f"{target} already holds {short(commit)}: deploy what does not run it",
            facts=(
                Fact("merge commit", commit),
                Fact(f"tip of {target} at the remote", tip),
                *(Fact("file", change.path) for change in files),
                *(Fact(t.service.name, f"{t.info.branch}, {t.info.auto_deploy}, {t.outlook}") for t in targets),
                *(guard.fact for guard in guards),
            ),
            consequences=_consequences(ctx, targets),
            sections=(
                Section("Services", tuple(t.line for t in targets)),
                *commit_section("Commits", commits),
                file_section(files, ctx.plan.release.files),
                guard_section(guards),
            ),
            before={
                "tip": tip,
                "commit": commit,
                "provider_time": moment_text(provider_time),
                "services": {t.service.key: t.outlook.value for t in targets},
                "deploys": {t.service.key: json_texts(t.known) for t in targets},
            },
        )

    async def probe(self, ctx: Context) -> Probe:
        """Done when the remote's branch contains the commit and every deploy by commit was started."""
        before = recorded_before(ctx)
        with in_production(ctx, _AFTERWARDS):
            commit = before.text("commit")
            await self._repository.fetch()
            tip = await self._repository.tip(ctx.plan.release.target)
            if not await contains(self._repository, tip, commit):
                return NotDone(f"{ctx.plan.release.target} stands at {short(tip)}, without {short(commit)}.")
            missing = await self._not_started(ctx, before)
            if missing:
                return NotDone(f"{short(commit)} is pushed; its deploy on {listed(missing)} was not started.")
        return Done(_evidence(ctx))

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Push, then deploy by commit. Raises StepFailed saying who moved the branch when it is refused."""
        before = recorded_before(ctx)
        commit = before.text("commit")
        with in_production(ctx, _AFTERWARDS):
            if not await self._repository.is_ancestor(commit, before.text("tip")):
                await report(Progress(f"pushing {short(commit)} to {ctx.plan.release.target}"))
                pushed_at = moment_text(await self._hosting.now())
                await self._push(ctx, before)
                data: dict[str, Json] = {"pushed": commit, "pushed_at": pushed_at}
                await report(Progress(f"{short(commit)} is pushed", data=data, durable=True))
                evidence = _evidence(ctx, pushed_at)
            else:
                evidence = _evidence(ctx)
            for key in await self._not_started(ctx, before):
                service = ctx.plan.service(key)
                await report(Progress(f"deploying {short(commit)} to {service.name} by commit"))
                await deploy_by_commit(self._hosting, ctx.clock, service.id, commit)
        return evidence

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """The remote's branch contains the commit."""
        target = ctx.plan.release.target
        with in_production(ctx, _AFTERWARDS):
            commit = str(evidence.data.get("commit", "")) or await released_commit(ctx, self._repository)
            await self._repository.fetch()
            tip = await self._repository.tip(target)
            if not await contains(self._repository, tip, commit):
                raise VerificationFailed(f"{target} at the remote ({short(tip)}) does not contain {short(commit)}.")

    async def _commit(self, ctx: Context) -> str:
        merge = left_by(ctx, "source.merge")
        return merge.text("commit") if merge is not None else await released_commit(ctx, self._repository)

    async def _base(self, ctx: Context, commit: str, tip: str) -> str:
        """The commit that the release is compared with: the branch's tip before it."""
        merge = left_by(ctx, "source.merge")
        if merge is not None:
            return merge.text("target")
        parents = (await self._repository.resolve(commit)).parents
        return parents[0] if commit == tip and parents else tip

    async def _check_tip(self, ctx: Context, tip: str) -> None:
        """The branch stands where the merge found it."""
        merge = left_by(ctx, "source.merge")
        if merge is not None and tip != merge.text("target"):
            raise await self._moved(ctx, merge.text("target"), tip)

    async def _moved(self, ctx: Context, old: str, new: str) -> StepFailed:
        lines = await what_moved(self._repository, old, new)
        target = ctx.plan.release.target
        return StepFailed(
            f"{target} moved since the merge, from {short(old)} to {short(new)}; nothing was pushed.",
            production=f"Nothing of this release was pushed. {state_of_schema(ctx)}",
            remedy="Look at what came in, then reopen the merge: it is made anew on the new tip.",
            lines=lines,
        )

    async def _targets(
        self, ctx: Context, commit: str, files: Sequence[FileChange], pushed: bool
    ) -> tuple[_Target, ...]:
        services = ctx.plan.services_in("production")
        paths = [change.path for change in files]
        return tuple(await asyncio.gather(*(self._target(ctx, s, commit, paths, pushed) for s in services)))

    async def _target(self, ctx: Context, service: Service, commit: str, paths: Sequence[str], pushed: bool) -> _Target:
        info, deploys = await asyncio.gather(
            self._hosting.service(service.id), read_deploys(self._hosting, service.id, commit, ())
        )
        does, why = outlook(service, info, paths)
        ours = deploys.ours
        if pushed and does is Outlook.BUILD and (ours is None or ours.status.failed):
            does, why = Outlook.DEPLOY, "the commit is pushed and no deploy of it runs or is live"
        known = tuple(deploy.id for deploy in deploys.all if deploy.commit != commit)
        if pushed and ours is not None and ours.status.failed:
            known = (*known, *(d.id for d in deploys.all if d.commit == commit and d.status.failed))
        # After the push only a deploy by commit can help, and that needs no autodeploy.
        wrong = () if pushed else problems_of(service, info, ctx.plan.release.target)
        has_it = pushed and ours is not None and not ours.status.failed
        return _Target(service, info, does, why, known, wrong, has_it)

    async def _guards(self, ctx: Context, commit: str, targets: Sequence[_Target], pushed: bool) -> list[Guard]:
        remedy = (
            f"Set branch {ctx.plan.release.target} and autodeploy “on commit” in the service's settings, then retry."
        )
        services = [
            Guard(t.service.name, f"follows {t.info.branch}", "; ".join(t.problems), remedy if t.problems else "")
            for t in targets
        ]
        if pushed:
            return services
        files, script = await migration_guards(ctx, self._repository, commit)
        database = await database_guards(ctx.plan, self._database)
        if script is not None and not any(guard.problem for guard in database):
            database.append(await unhandled(self._database, ctx.plan.migration, script))
        return [*services, *database, *files]

    async def _push(self, ctx: Context, before: Record) -> None:
        commit, tip, target = before.text("commit"), before.text("tip"), ctx.plan.release.target
        try:
            await self._repository.push(commit, target, expected_tip=tip)
        except PushRejected as error:
            await self._repository.fetch()
            now = await self._repository.tip(target)
            if now != tip:
                raise await self._moved(ctx, tip, now) from error
            remedy = "Allow this push at the remote (branch protection, rights), then retry."
            raise StepFailed(
                f"The remote refused the push to {target}: {error.message}",
                production=f"Nothing of this release was pushed. {state_of_schema(ctx)}",
                remedy=remedy,
            ) from error
        except RepositoryError:
            await self._repository.fetch()
            if not await self._repository.is_ancestor(commit, await self._repository.tip(target)):
                raise

    async def _not_started(self, ctx: Context, before: Record) -> list[str]:
        """The services to be deployed by commit on which no deploy of it has begun since `before`."""
        commit, outlooks, missing = before.text("commit"), before.record("services").data, []
        for key, does in outlooks.items():
            if does != Outlook.DEPLOY:
                continue
            known = before.record("deploys").texts(key)
            deploys = await read_deploys(self._hosting, ctx.plan.service(key).id, commit, known)
            if deploys.ours is None:
                missing.append(key)
        return missing


def _consequences(ctx: Context, targets: Sequence[_Target]) -> tuple[Line, ...]:
    rebuilt = [t.service.name for t in targets if t.outlook is not Outlook.UNCHANGED and not t.has_it]
    if not rebuilt:
        return (Line("No service is built: each has the commit, or stays as it is.", tone=Tone.GOOD),)
    return (
        Line(f"{listed(rebuilt)} will be rebuilt and switched to the new code.", tone=Tone.WARNING),
        Line(
            f"From then until migration {ctx.plan.migration.version} has run, new code meets the old schema: "
            f"what reads {listed(ctx.plan.migration.added)} fails.",
            tone=Tone.DANGER,
        ),
    )


def _evidence(ctx: Context, pushed_at: str = "") -> Evidence:
    before = recorded_before(ctx)
    commit, branch = before.text("commit"), ctx.plan.release.target
    recorded = [str(data["pushed_at"]) for data in ctx.recorded if "pushed_at" in data]
    outlooks = before.record("services").data
    return Evidence(
        f"{branch} holds {short(commit)} (was {short(before.text('tip'))})",
        {
            "commit": commit,
            "branch": branch,
            "old_tip": before.text("tip"),
            "pushed_at": pushed_at or (recorded[-1] if recorded else before.text("provider_time")),
            "services": dict(outlooks),
            "deploys_before": dict(before.record("deploys").data),
        },
        (Section("Services", tuple(Line(f"{key}: {does}") for key, does in outlooks.items())),),
    )
