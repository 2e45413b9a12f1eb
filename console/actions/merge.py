"""The merge commit of the release: made in the console's own clone, never a fast-forward, never pushed from here."""

import re

from console.actions.handover import Record, json_texts, left_by, recorded_before
from console.actions.production import in_production
from console.actions.released import is_held
from console.actions.source import REPOSITORY_REMEDY, check_files, look_at_merge
from console.actions.wording import commit_section, counted, file_section, listed, short
from console.domain.outcome import Done, Evidence, Fact, Line, NotDone, Preview, Probe, Progress
from console.domain.source import Commit, MergePreview
from console.errors import MergeConflict, StepFailed, VerificationFailed
from console.ports import Context, Report, Repository

# https://render.com/docs/deploys: these phrases in a commit's message suppress the deploy.
_SKIP = re.compile(r"\[\s*(?:skip\s+(?:render|deploy|cd)|(?:render|deploy|cd)\s+skip)\s*\]", re.IGNORECASE)


def skip_phrase(message: str) -> str | None:
    """The phrase in a commit message that would keep the provider from deploying it, or None."""
    found = _SKIP.search(message)
    return found.group() if found else None


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
        with in_production(ctx, REPOSITORY_REMEDY):
            _check_message(release.merge_message)
            merge = await look_at_merge(ctx, self._repository)
            _check_mergeable(ctx, merge)
            await check_files(ctx, self._repository, merge.target, merge.files)
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
        with in_production(ctx, REPOSITORY_REMEDY):
            if not await is_held(self._repository, commits[-1], before.text("target")):
                return NotDone(f"{short(commits[-1])} was made on another machine and never pushed.")
            commit = await self._repository.resolve(commits[-1])
            if commit.parents != (before.text("target"), before.text("source")):
                return NotDone(f"{commit.short} in the clone does not merge the tips that were previewed.")
            return Done(await self._evidence(ctx, commit))

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Merge the previewed tips. Raises StepFailed with the files in conflict."""
        before = recorded_before(ctx)
        await report(Progress("merging in the console's clone"))
        with in_production(ctx, REPOSITORY_REMEDY):
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
        record = Record(f"“{ctx.step.title}”", evidence.data)
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
            changes = await self._repository.changes(expected[0], commit.id)
            try:
                await check_files(ctx, self._repository, expected[0], changes)
            except StepFailed as error:
                raise VerificationFailed(error.message, remedy=error.remedy, lines=error.lines) from error

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
