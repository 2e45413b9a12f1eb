"""The release's source: fixes deployed on earlier environments, what the release changes, the merge commit.

Nothing here changes the remote: the merge commit is made in the console's own clone and pushed by
`console.actions.push`.
"""

import re

from console.actions.deploys import live_deploy
from console.actions.handover import Record, json_texts, left_by, recorded_before
from console.actions.production import in_production
from console.actions.wording import commit_section, counted, file_section, listed, short
from console.domain.hosting import Deploy
from console.domain.outcome import Done, Evidence, Fact, Line, NotDone, Preview, Probe, Progress, Section, Tone
from console.domain.plan import Json, Service
from console.domain.source import Commit, MergePreview
from console.errors import MergeConflict, StepFailed, VerificationFailed
from console.ports import Context, Hosting, Report, Repository

# https://render.com/docs/deploys: these phrases in a commit's message suppress the deploy.
_SKIP = re.compile(r"\[\s*(?:skip\s+(?:render|deploy|cd)|(?:render|deploy|cd)\s+skip)\s*\]", re.IGNORECASE)
_REPOSITORY_REMEDY = "See that the repository can be reached and its branches are there, then retry."


def skip_phrase(message: str) -> str | None:
    """The phrase in a commit message that would keep the provider from deploying it, or None."""
    found = _SKIP.search(message)
    return found.group() if found else None


class SourceDeployed:
    """`source.deployed`: the fix is on the environment's branches and in what its services run.

    Evidence: `environment`, `fix` (hash), `services` ({key: {`deploy`, `commit`, `branch`, `tip`}}).
    """

    destructive = False

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

    async def probe(self, ctx: Context) -> Probe:
        """This step only reads."""
        return NotDone("This step only reads; it is simply done again.")

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


class SourceContent:
    """`source.content`: the release changes exactly the files that the plan declares.

    Evidence: `source`, `target` (tips), `files` (paths), `commits` (hashes).
    """

    destructive = False

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    async def preview(self, ctx: Context) -> Preview:
        """Which files are expected."""
        release = ctx.plan.release
        return Preview(
            summary=f"Compare what {release.source} brings to {release.target} with the plan's list of files",
            sections=(Section("Declared by the plan", tuple(Line(path) for path in release.files)),),
        )

    async def probe(self, ctx: Context) -> Probe:
        """This step only reads."""
        return NotDone("This step only reads; it is simply done again.")

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Compare. Raises StepFailed with the files that differ from the plan's."""
        await report(Progress("comparing the branches"))
        with in_production(ctx, _REPOSITORY_REMEDY):
            merge = await _look_at_merge(ctx, self._repository)
            _check_files(ctx, merge)
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
                _check_files(ctx, await _look_at_merge(ctx, self._repository))
                return
            for branch, key in ((release.source, "source"), (release.target, "target")):
                tip = await self._repository.tip(branch)
                if tip != record.text(key):
                    raise VerificationFailed(f"{branch} moved from {short(record.text(key))} to {short(tip)}.")


class SourceMerge:
    """`source.merge`: make the merge commit in the console's own clone, never a fast-forward.

    before: `source`, `target` (tips). Durable progress: `commit`.
    Evidence: `commit`, `parents` (target first), `source`, `target`, `files`, `message`.
    """

    destructive = False

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    async def preview(self, ctx: Context) -> Preview:
        """Commits, files and conflicts. Raises StepFailed when the branches do not merge as they are."""
        release = ctx.plan.release
        with in_production(ctx, _REPOSITORY_REMEDY):
            _check_message(release.merge_message)
            merge = await _look_at_merge(ctx, self._repository)
            _check_mergeable(ctx, merge)
        return Preview(
            summary=f"Merge {release.source} into {release.target} in the console's own clone",
            facts=(
                Fact(f"tip of {release.source}", merge.source),
                Fact(f"tip of {release.target}", merge.target),
                Fact("message", release.merge_message),
                *(Fact("file", change.path) for change in merge.files),
            ),
            consequences=(
                Line("A merge commit in the console's clone; the remote is not touched before the push."),
                Line("Always a merge commit of its own: one revert takes the whole release back."),
            ),
            sections=(
                *commit_section(f"{counted(len(merge.commits), 'commit')} to {release.target}", merge.commits),
                file_section(merge.files, release.files),
                *commit_section(f"Only in {release.target}", merge.ahead),
            ),
            before={"source": merge.source, "target": merge.target},
        )

    async def probe(self, ctx: Context) -> Probe:
        """Done when the commit that was recorded is in the clone and merges the tips of `before`."""
        before = recorded_before(ctx)
        commits = [str(data["commit"]) for data in ctx.recorded if "commit" in data]
        if not commits:
            return NotDone("No merge commit was recorded; one in the clone would touch nothing.")
        with in_production(ctx, _REPOSITORY_REMEDY):
            commit = await self._repository.resolve(commits[-1])
            if commit.parents != (before.text("target"), before.text("source")):
                return NotDone(f"{commit.short} in the clone does not merge the tips that were previewed.")
            return Done(await self._evidence(ctx, commit))

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Merge the previewed tips. Raises StepFailed with the files in conflict."""
        before = recorded_before(ctx)
        await report(Progress("merging in the console's clone"))
        with in_production(ctx, _REPOSITORY_REMEDY):
            try:
                commit = await self._repository.merge(
                    before.text("source"), before.text("target"), ctx.plan.release.merge_message
                )
            except MergeConflict as conflict:
                raise _conflict(ctx, conflict.files) from conflict
            await report(Progress(f"merge commit {commit.short}", data={"commit": commit.id}, durable=True))
            return await self._evidence(ctx, commit)

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """The commit merges the two tips and brings the declared files; or, by hand, is in the branch."""
        release, record = ctx.plan.release, Record(f"“{ctx.step.title}”", evidence.data)
        with in_production(ctx, "Reopen the merge."):
            if "commit" not in record:
                await self._verify_by_hand(ctx)
                return
            commit = await self._repository.resolve(record.text("commit"))
            expected = (record.text("target"), record.text("source"))
            if commit.parents != expected:
                raise VerificationFailed(
                    f"{commit.short} does not merge the previewed tips.",
                    lines=(f"expected parents {listed(expected)}", f"found {listed(commit.parents)}"),
                )
            _check_message(commit.message)
            changed = {change.path for change in await self._repository.changes(expected[0], commit.id)}
            if changed != set(release.files):
                raise VerificationFailed(
                    "The merge commit changes other files than the plan declares.",
                    lines=_file_difference(changed, set(release.files)),
                )

    async def _verify_by_hand(self, ctx: Context) -> None:
        release = ctx.plan.release
        await self._repository.fetch()
        source, target = await self._repository.tip(release.source), await self._repository.tip(release.target)
        if not await self._repository.is_ancestor(source, target):
            raise VerificationFailed(f"{release.target} ({short(target)}) does not contain {release.source}.")

    async def _evidence(self, ctx: Context, commit: Commit) -> Evidence:
        target, source = commit.parents[0], commit.parents[1]
        files = await self._repository.changes(target, commit.id)
        commits = await self._repository.commits(target, source)
        return Evidence(
            f"{commit.short} merges {short(source)} into {short(target)}: "
            f"{counted(len(commits), 'commit')}, {counted(len(files), 'file')}",
            {
                "commit": commit.id,
                "parents": json_texts(commit.parents),
                "source": source,
                "target": target,
                "files": json_texts(change.path for change in files),
                "message": commit.message,
            },
            (*commit_section("Commits", commits), file_section(files, ctx.plan.release.files)),
        )


def _environment(ctx: Context) -> str:
    return str(ctx.step.params.get("environment", ""))


def _services(ctx: Context) -> tuple[Service, ...]:
    return ctx.plan.services_in(_environment(ctx))


async def _look_at_merge(ctx: Context, repository: Repository) -> MergePreview:
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


def _check_files(ctx: Context, merge: MergePreview) -> None:
    declared, changed = set(ctx.plan.release.files), {change.path for change in merge.files}
    if changed == declared:
        return
    raise StepFailed(
        f"{ctx.plan.release.source} changes other files than the plan declares.",
        remedy="Take what does not belong to this release out of the source branch, or declare it in the plan.",
        lines=_file_difference(changed, declared),
    )


def _file_difference(changed: set[str], declared: set[str]) -> tuple[str, ...]:
    extra = [f"not declared: {path}" for path in sorted(changed - declared)]
    missing = [f"declared, not changed: {path}" for path in sorted(declared - changed)]
    return (*extra, *missing)


def _check_mergeable(ctx: Context, merge: MergePreview) -> None:
    if merge.conflicts:
        raise _conflict(ctx, merge.conflicts)
    content = left_by(ctx, "source.content")
    if content is not None and content.text("source") != merge.source:
        raise StepFailed(
            f"{ctx.plan.release.source} moved since its content was compared with the plan: "
            f"{short(content.text('source'))} to {short(merge.source)}.",
            remedy="Reopen the comparison of the release's content.",
        )
    _check_files(ctx, merge)


def _conflict(ctx: Context, files: tuple[str, ...]) -> StepFailed:
    release = ctx.plan.release
    return StepFailed(
        f"{release.source} and {release.target} do not merge: {counted(len(files), 'file')} in conflict.",
        remedy=f"Merge {release.target} into {release.source}, resolve the conflict there, deploy and test it on "
        "staging, then reopen the steps from there.",
        lines=tuple(f"conflict in {path}" for path in files),
    )


def _check_message(message: str) -> None:
    phrase = skip_phrase(message)
    if phrase is not None:
        raise StepFailed(
            f"The merge message contains “{phrase}”: the provider would not deploy it.",
            remedy="Take the phrase out of merge_message in the plan.",
        )
