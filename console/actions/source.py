"""The release's source: the fix is deployed on earlier environments, and the release changes what it declares."""

from collections.abc import Sequence

from console.actions.deploys import live_deploy
from console.actions.handover import Record, json_texts
from console.actions.production import in_production
from console.actions.read_only import ReadOnly
from console.actions.wording import commit_section, counted, file_section, listed, short
from console.domain.hosting import Deploy
from console.domain.outcome import Evidence, Fact, Line, Preview, Progress, Section, Tone
from console.domain.plan import Json, Service
from console.domain.source import Commit, FileChange, MergePreview
from console.errors import StepFailed, VerificationFailed
from console.ports import Context, Hosting, Report, Repository

REPOSITORY_REMEDY = "See that the repository can be reached and its branches are there, then retry."


class SourceDeployed(ReadOnly):
    """`source.deployed`: the fix is on the environment's branches and in what its services run.

    Evidence: `environment`, `fix` (hash), `services` ({key: {`deploy`, `commit`, `branch`, `tip`}}).
    """

    def __init__(self, repository: Repository, hosting: Hosting) -> None:
        self._repository = repository
        self._hosting = hosting

    async def preview(self, ctx: Context) -> Preview:
        """Which services are asked for which commit."""
        services = _services(ctx)
        return Preview(
            summary=f"See that {ctx.plan.release.fix_commit} is in what {_environment(ctx)} runs",
            facts=tuple(Fact(service.name, f"branch {service.branch}") for service in services),
            consequences=(Line("Reads only.", tone=Tone.GOOD),),
        )

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Compare branch and live commit with the fix. Raises StepFailed naming the service that lacks it."""
        with in_production(ctx, f"Deploy the fix to {_environment(ctx)}, then retry."):
            await self._repository.fetch()
            fix = await self._repository.resolve(ctx.plan.release.fix_commit)
            found: dict[str, Json] = {}
            sections: list[Section] = []
            for service in _services(ctx):
                await report(Progress(f"looking at {service.name}"))
                deploy, tip = await self._look(service, fix)
                found[service.key] = {
                    "deploy": deploy.id,
                    "commit": deploy.commit,
                    "branch": service.branch,
                    "tip": tip,
                }
                extra = await self._repository.commits(fix.id, deploy.commit)
                sections += commit_section(f"{service.name} also runs", extra)
        services = listed(service.name for service in _services(ctx))
        return Evidence(
            f"{fix.short} is live on {services}",
            {"environment": _environment(ctx), "fix": fix.id, "services": found},
            tuple(sections),
        )

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """Look once more. Raises VerificationFailed when a service no longer runs the fix."""
        with in_production(ctx, f"Deploy the fix to {_environment(ctx)}, then retry."):
            fix = await self._repository.resolve(ctx.plan.release.fix_commit)
            for service in _services(ctx):
                try:
                    await self._look(service, fix)
                except StepFailed as error:
                    raise VerificationFailed(error.message, lines=error.lines) from error

    async def _look(self, service: Service, fix: Commit) -> tuple[Deploy, str]:
        info = await self._hosting.service(service.id)
        if info.branch != service.branch:
            raise StepFailed(f"{service.name} tracks {info.branch}; the plan says {service.branch}.")
        tip = await self._repository.tip(service.branch)
        if not await self._repository.is_ancestor(fix.id, tip):
            raise StepFailed(f"The fix {fix.short} is not in the branch {service.branch} ({short(tip)}).")
        live = await live_deploy(self._hosting, service.id)
        if live is None:
            raise StepFailed(f"{service.name} has no live deploy.")
        if not live.commit:
            raise StepFailed(f"{service.name} does not say which commit it runs (deploy {live.id}).")
        if not await self._repository.is_ancestor(fix.id, live.commit):
            raise StepFailed(
                f"{service.name} runs {short(live.commit)}, which does not contain the fix {fix.short}.",
                lines=(f"{short(live.commit)} {live.commit_message}",),
            )
        return live, tip


class SourceContent(ReadOnly):
    """`source.content`: the release changes exactly the files that the plan declares.

    Evidence: `source`, `target` (tips), `files` (paths), `commits` (hashes).
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    async def preview(self, ctx: Context) -> Preview:
        """Which files are expected."""
        release = ctx.plan.release
        return Preview(
            summary=f"Compare what {release.source} brings to {release.target} with the plan's list of files",
            sections=(Section("Declared by the plan", tuple(Line(path) for path in release.files)),),
        )

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Compare. Raises StepFailed with the files that differ from the plan's."""
        await report(Progress("comparing the branches"))
        with in_production(ctx, REPOSITORY_REMEDY):
            merge = await look_at_merge(ctx, self._repository)
            await check_files(ctx, self._repository, merge.target, merge.files)
        return Evidence(
            f"{counted(len(merge.commits), 'commit')}, {counted(len(merge.files), 'file')}, all declared",
            {
                "source": merge.source,
                "target": merge.target,
                "files": json_texts(change.path for change in merge.files),
                "commits": json_texts(commit.id for commit in merge.commits),
            },
            (*commit_section("Commits", merge.commits), file_section(merge.files, ctx.plan.release.files)),
        )

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """The branches still stand where they were compared."""
        release, record = ctx.plan.release, Record(f"“{ctx.step.title}”", evidence.data)
        with in_production(ctx, "Retry: the comparison is made anew."):
            if "source" not in record:
                merge = await look_at_merge(ctx, self._repository)
                await check_files(ctx, self._repository, merge.target, merge.files)
                return
            for branch, key in ((release.source, "source"), (release.target, "target")):
                tip = await self._repository.tip(branch)
                if tip != record.text(key):
                    raise VerificationFailed(f"{branch} moved from {short(record.text(key))} to {short(tip)}.")


def _environment(ctx: Context) -> str:
    return str(ctx.step.params.get("environment", ""))


def _services(ctx: Context) -> tuple[Service, ...]:
    return ctx.plan.services_in(_environment(ctx))


async def look_at_merge(ctx: Context, repository: Repository) -> MergePreview:
    """What merging the branches as they stand would bring. Raises StepFailed when there is nothing to merge."""
    release = ctx.plan.release
    await repository.fetch()
    source, target = await repository.tip(release.source), await repository.tip(release.target)
    if await repository.is_ancestor(source, target):
        raise StepFailed(
            f"{release.target} ({short(target)}) already contains all of {release.source} ({short(source)}).",
            remedy="If that is this release, mark the step as done by hand; if the release was reverted, revert "
            "the revert on the source branch first.",
        )
    fix = await repository.resolve(release.fix_commit)
    if not await repository.is_ancestor(fix.id, source):
        raise StepFailed(f"The fix {fix.short} is not in {release.source} ({short(source)}).")
    return await repository.preview_merge(source, target)


async def check_files(ctx: Context, repository: Repository, target: str, files: Sequence[FileChange]) -> None:
    """Raise StepFailed, with the difference, unless exactly the declared files differ from `target`.

    Where `target` holds the fix already, a first part of the release was pushed before and the source was mended
    since: then any of the declared files may differ, and no other.
    """
    declared, changed = set(ctx.plan.release.files), {change.path for change in files}
    fix = await repository.resolve(ctx.plan.release.fix_commit)
    begun = await repository.is_ancestor(fix.id, target)
    extra = [f"not declared: {path}" for path in sorted(changed - declared)]
    missing = [] if begun else [f"declared, not changed: {path}" for path in sorted(declared - changed)]
    if extra or missing:
        raise StepFailed(
            f"{ctx.plan.release.source} changes other files than the plan declares.",
            remedy="Take what does not belong to this release out of the source branch, or declare it in the plan.",
            lines=(*extra, *missing),
        )
