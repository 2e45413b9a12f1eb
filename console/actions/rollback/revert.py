"""The revert: made in the console's own clone upon the target's tip of now, and held against what was there before.

What always holds: commits of others that came since stay, and are named; the message never keeps the provider from
deploying; and what the resulting tree still differs in is said before anything is pushed.
"""

from dataclasses import dataclass

from console.actions.handover import Record, json_texts, recorded_before
from console.actions.merge import skip_phrase
from console.actions.production import in_production
from console.actions.released import is_held
from console.actions.rollback.journaled import target_now
from console.actions.rollback.on_branch import OnBranch, Span, Stays, on_branch, release_span, to_revert, what_stays
from console.actions.source import REPOSITORY_REMEDY
from console.actions.wording import commit_lines, commit_section, counted, file_section, listed, short
from console.domain.outcome import Done, Evidence, Fact, Line, NotDone, Preview, Probe, Progress, Section, Tone
from console.domain.source import Commit
from console.errors import MergeConflict, StepFailed, VerificationFailed, WorldChanged
from console.ports import Context, Report, Repository

FIX = "fix"


@dataclass(frozen=True, slots=True)
class _Reverting:
    """What is reverted, in this order, upon which tip."""

    span: Span
    branch: OnBranch
    commits: tuple[Commit, ...]


class RollbackRevert:
    """`rollback.revert`: revert the whole release, or with `scope` `fix` the fix commit alone, in the clone.

    before: `tip`, `reverts`, `compared_with`, `tree` (of the result).
    Durable progress: `commit`.
    Evidence: `commit`, `base`, `reverts`, `compared_with`, `identical`, `differs` (paths), `tree`, `scope`.
    """

    destructive = False

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    async def preview(self, ctx: Context) -> Preview:
        """What is reverted, what comes out, what stays different. Raises StepFailed on a conflict.

        The revert is tried in the clone, as nothing else tells what it comes to; no branch knows of it.
        """
        with in_production(ctx, REPOSITORY_REMEDY):
            plan = await self._reverting(ctx)
            tried = await self._revert(ctx, plan)
            tree = await self._repository.tree(tried.id)
            files = await self._repository.changes(plan.branch.tip, tried.id)
            left = await what_stays(self._repository, plan.span, plan.branch, tried.id)
        target = ctx.plan.release.target
        return Preview(
            summary=f"Revert {listed(each.short for each in plan.commits)} upon {target} ({short(plan.branch.tip)}), "
            "in the console's own clone",
            facts=(
                Fact(f"tip of {target}", plan.branch.tip),
                *(Fact("reverts", each.id) for each in plan.commits),
                Fact("resulting tree", tree),
                Fact("compared with", plan.span.before),
            ),
            consequences=(
                Line("Commits in the console's clone; the remote is not touched before the push."),
                _verdict(plan.span, left),
            ),
            sections=(
                *commit_section("Reverts", plan.commits),
                file_section(files, ctx.plan.release.files, "Files that change"),
                *_left_sections(plan.span, left),
                *commit_section("Left alone: came since, and is not of the release", plan.branch.others),
            ),
            before={
                "tip": plan.branch.tip,
                "reverts": json_texts(each.id for each in plan.commits),
                "compared_with": plan.span.before,
                "tree": tree,
            },
        )

    async def probe(self, ctx: Context) -> Probe:
        """Done when the commit that was recorded is in the clone with the tree that was previewed."""
        before = recorded_before(ctx)
        commits = [str(data["commit"]) for data in ctx.recorded if "commit" in data]
        if not commits:
            return NotDone("No revert was recorded; one in the clone would touch nothing.")
        with in_production(ctx, REPOSITORY_REMEDY):
            if not await is_held(self._repository, commits[-1], before.text("tip")):
                return NotDone(f"{short(commits[-1])} was made on another machine and never pushed.")
            if await self._repository.tree(commits[-1]) != before.text("tree"):
                return NotDone(f"{short(commits[-1])} in the clone is not what was previewed.")
            return Done(await self._evidence(ctx, commits[-1]))

    async def perform(self, ctx: Context, report: Report) -> Evidence:
        """Make the revert. Raises StepFailed with the paths in conflict, WorldChanged when the branch moved."""
        before = recorded_before(ctx)
        await report(Progress("reverting in the console's clone"))
        with in_production(ctx, REPOSITORY_REMEDY):
            plan = await self._reverting(ctx)
            if plan.branch.tip != before.text("tip"):
                raise WorldChanged(f"{ctx.plan.release.target} has moved.", remedy="Look at the revert again.")
            commit = await self._revert(ctx, plan)
            if await self._repository.tree(commit.id) != before.text("tree"):
                raise WorldChanged("The revert comes to something else now.", remedy="Look at it again.")
            await report(Progress(f"reverted in {commit.short}", data={"commit": commit.id}, durable=True))
            return await self._evidence(ctx, commit.id)

    async def verify(self, ctx: Context, evidence: Evidence) -> None:
        """The commit stands upon the tip it was made for; or, by hand, the branch no longer holds the release."""
        record = Record(f"“{ctx.step.title}”", evidence.data)
        with in_production(ctx, "Reopen the revert."):
            if "commit" not in record:
                branch = await target_now(ctx, self._repository)
                if branch.holds and ctx.step.params.get("scope") != FIX:
                    holds = f"{ctx.plan.release.target} ({short(branch.tip)}) holds the release."
                    raise VerificationFailed(holds, remedy="Push the revert first, or let the console make it.")
                return
            commit, base = record.text("commit"), record.text("base")
            if not await self._repository.is_ancestor(base, commit):
                raise VerificationFailed(f"{short(commit)} does not stand upon {short(base)}.")
            phrases = [skip_phrase(each.message) for each in await self._repository.commits(base, commit)]
            if any(phrases):
                raise VerificationFailed(f"A revert's message contains “{next(filter(None, phrases))}”.")

    async def _reverting(self, ctx: Context) -> _Reverting:
        """What is to be reverted as the branch stands now. Raises StepFailed when there is nothing."""
        release = ctx.plan.release
        await self._repository.fetch()
        span = await release_span(ctx.state, self._repository)
        branch = await on_branch(self._repository, span, await self._repository.tip(release.target))
        hashes = to_revert(span, branch)
        if ctx.step.params.get("scope") == FIX:
            hashes = await self._fix(ctx, branch)
        elif not branch.holds:
            raise StepFailed(
                f"There is nothing to revert: {release.target} ({short(branch.tip)}) does not hold the release "
                f"{short(span.commit)}.",
                remedy="Mark the revert and its push as done by hand: both are looked at.",
            )
        return _Reverting(span, branch, tuple([await self._repository.resolve(each) for each in hashes]))

    async def _fix(self, ctx: Context, branch: OnBranch) -> tuple[str, ...]:
        fix = await self._repository.resolve(ctx.plan.release.fix_commit)
        if fix.id in branch.undone:
            by = short(branch.undone[fix.id])
            raise StepFailed(f"{fix.short} is already reverted, by {by}.", remedy="Mark the step as done by hand.")
        if not await self._repository.is_ancestor(fix.id, branch.tip):
            raise StepFailed(
                f"{ctx.plan.release.target} ({short(branch.tip)}) does not contain {fix.short}.",
                remedy="See that fix_commit in the plan names a commit of the release.",
            )
        return (fix.id,)

    async def _revert(self, ctx: Context, plan: _Reverting) -> Commit:
        try:
            return await self._repository.revert(
                [each.id for each in plan.commits],
                plan.branch.tip,
                messages=[revert_message(each, "Revert", ctx.run) for each in plan.commits],
            )
        except MergeConflict as conflict:
            raise _conflict(ctx, plan, conflict.files) from conflict

    async def _evidence(self, ctx: Context, commit: str) -> Evidence:
        before = recorded_before(ctx)
        reverted = tuple([await self._repository.resolve(each) for each in before.texts("reverts")])
        span = await release_span(ctx.state, self._repository)
        branch = await on_branch(self._repository, span, before.text("tip"))
        left = await what_stays(self._repository, span, branch, commit)
        result = "the tree from before" if not left else f"{counted(len(left), 'file')} stay different from before"
        return Evidence(
            f"{short(commit)} reverts {listed(each.short for each in reverted)}: {result}",
            {
                "commit": commit,
                "base": before.text("tip"),
                "reverts": json_texts(each.id for each in reverted),
                "compared_with": before.text("compared_with"),
                "identical": not left,
                "differs": json_texts(each.path for each in left),
                "tree": before.text("tree"),
                "scope": str(ctx.step.params.get("scope", "release")),
            },
            (
                *commit_section("Reverts", reverted),
                *_left_sections(span, left),
                *commit_section("Left alone: came since, and is not of the release", branch.others),
            ),
        )


def revert_message(commit: Commit, word: str, run: str) -> str:
    """The message of a commit that takes another back, in git's words, without a phrase that suppresses the deploy."""
    subject = commit.subject
    while (phrase := skip_phrase(subject)) is not None:
        subject = subject.replace(phrase, "")
    whole = f"\n\nThis reverts commit {commit.id}."
    if len(commit.parents) > 1:
        whole = f"\n\nThis reverts commit {commit.id}, reversing\nchanges made to {commit.parents[0]}."
    return f'{word} "{" ".join(subject.split())}"{whole}\n\nRelease Console, run {run}.\n'


def _verdict(span: Span, left: list[Stays]) -> Line:
    if not left:
        return Line(f"The resulting tree is that of {short(span.before)}, from before the release.", tone=Tone.GOOD)
    unexplained = [each for each in left if not each.others]
    if not unexplained:
        text = (
            f"{counted(len(left), 'file')} stay different from {short(span.before)}, each by a commit of somebody else."
        )
        return Line(text, tone=Tone.WARNING)
    text = f"{counted(len(unexplained), 'file')} of the release stay as the release has them: see below."
    return Line(text, tone=Tone.DANGER)


def _left_sections(span: Span, left: list[Stays]) -> tuple[Section, ...]:
    if not left:
        return ()
    return (
        Section(
            f"Stays different from {short(span.before)}, from before the release", tuple(each.line for each in left)
        ),
    )


def _conflict(ctx: Context, plan: _Reverting, files: tuple[str, ...]) -> StepFailed:
    target = ctx.plan.release.target
    return StepFailed(
        f"The release cannot be reverted on {target} by itself: {counted(len(files), 'file')} in conflict.",
        remedy=f"Somebody changed the same lines since. Revert it by hand on {target}, resolve the conflict, push, and "
        "mark the revert and its push as done by hand: both are looked at. The provider's previous build can serve "
        "meanwhile.",
        lines=(
            *(f"conflict in {path}" for path in files),
            *(f"came since: {line.text} ({line.note})" for line in commit_lines(plan.branch.others)),
        ),
    )
