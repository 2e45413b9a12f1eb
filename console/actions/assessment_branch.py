"""The target branch in an assessment: whether it holds the release, and what the reverts of it would come to.

What always holds: the reverts are tried in the console's own clone; no branch knows of them.
"""

from dataclasses import dataclass

from console.actions.rollback.on_branch import OnBranch, Span, Stays, on_branch, release_span, to_revert, what_stays
from console.actions.waiting import in_time
from console.actions.wording import commit_lines, counted, listed, short
from console.domain.outcome import Line, Tone
from console.domain.released import pushed, release_commit
from console.domain.state import RunState
from console.errors import ConsoleError, MergeConflict, RepositoryError, StepFailed
from console.ports import Repository


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a revert comes to: the paths that stay different from before, or those in conflict."""

    stays: tuple[Stays, ...] = ()
    conflicts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BranchLook:
    """What the branch says. `span` and `branch` are None when the repository did not answer.

    `whole` and `fix` are what reverting the release, and the fix commit alone, would come to; None where there is
    nothing of it to be reverted.
    """

    holds: bool
    span: Span | None = None
    branch: OnBranch | None = None
    whole: Outcome | None = None
    fix: Outcome | None = None
    remarks: tuple[Line, ...] = ()

    @property
    def fix_is_all(self) -> bool:
        """Whether reverting the fix commit alone gives the tree from before."""
        return self.fix is not None and not self.fix.stays and not self.fix.conflicts


async def look_at_branch(repository: Repository, state: RunState) -> BranchLook:
    """Read the branch; what cannot be read is a remark, and the run's own record stands in for it."""
    try:
        return await in_time(_look(repository, state), RepositoryError)
    except (RepositoryError, StepFailed) as error:
        return BranchLook(pushed(state), remarks=(_unread(state, error),))


async def _look(repository: Repository, state: RunState) -> BranchLook:
    """What the branch says. Raises RepositoryError, or StepFailed when the record names no release."""
    await repository.fetch()
    span = await release_span(state, repository)
    branch = await on_branch(repository, span, await repository.tip(state.plan.release.target))
    if not branch.holds:
        return BranchLook(False, span, branch, remarks=(*_elsewhere(state, span), *_others(state, branch)))
    whole = await _try(repository, span, branch, to_revert(span, branch))
    fix = await _try_fix(repository, state, span, branch)
    return BranchLook(True, span, branch, whole, fix, _others(state, branch))


async def _try(repository: Repository, span: Span, branch: OnBranch, commits: tuple[str, ...]) -> Outcome:
    try:
        commit = await repository.revert(commits, branch.tip)
    except MergeConflict as conflict:
        return Outcome(conflicts=conflict.files)
    return Outcome(stays=tuple(await what_stays(repository, span, branch, commit.id)))


async def _try_fix(repository: Repository, state: RunState, span: Span, branch: OnBranch) -> Outcome | None:
    fix = await repository.resolve(state.plan.release.fix_commit)
    if fix.id in branch.undone or not await repository.is_ancestor(fix.id, branch.tip):
        return None
    try:
        return await _try(repository, span, branch, (fix.id,))
    except RepositoryError:
        # Nothing of it is left on the branch, by whatever came since: then it is not a way either.
        return None


def _elsewhere(state: RunState, span: Span) -> tuple[Line, ...]:
    """That the commit of the record was made on another machine and never pushed: the span is then not of it."""
    commit = release_commit(state)
    if not commit or commit == span.commit:
        return ()
    note = "neither the repository nor this machine's clone holds it"
    return (Line(f"The merge commit {short(commit)} was made on another machine and never pushed", note=note),)


def _others(state: RunState, branch: OnBranch) -> tuple[Line, ...]:
    """Commits of others that came to the branch since: they stay, whichever way is gone."""
    if not branch.others:
        return ()
    came = f"{counted(len(branch.others), 'commit')} of others came to {state.plan.release.target} since the release"
    return (Line(came, note=listed(line.text for line in commit_lines(branch.others)), tone=Tone.WARNING),)


def _unread(state: RunState, error: ConsoleError) -> Line:
    held = "holds" if pushed(state) else "does not hold"
    text = f"The branch could not be read; by the run's own record {state.plan.release.target} {held} the release"
    return Line(text, note=error.message, tone=Tone.WARNING)


def what_release(look: BranchLook) -> str:
    """The release's commit, short, as lines name it; `the release` when it is not known."""
    return short(look.span.commit) if look.span is not None else "the release"
