"""Which commit is being released, and what moved when a branch is not where it was."""

from console.actions.handover import left_by
from console.actions.wording import at, short
from console.errors import StepFailed
from console.ports import Context, Repository


async def released_commit(ctx: Context, repository: Repository) -> str:
    """The merge commit of this run: as pushed, else as made.

    When those steps were done by hand, it is the tip of the target branch, provided that it contains the
    source branch. Raises StepFailed when it does not.
    """
    for action in ("source.push", "source.merge"):
        record = left_by(ctx, action)
        if record is not None and "commit" in record:
            return record.text("commit")
    release = ctx.plan.release
    await repository.fetch()
    source, target = await repository.tip(release.source), await repository.tip(release.target)
    if await repository.is_ancestor(source, target):
        return target
    raise StepFailed(
        f"No commit was released: {release.target} ({short(target)}) does not contain {release.source} "
        f"({short(source)}).",
        remedy="Merge and push first.",
    )


async def what_moved(repository: Repository, old: str, new: str) -> tuple[str, ...]:
    """Who moved a branch from one tip to another: a line a commit. The clone must be fetched."""
    if not await repository.is_ancestor(old, new):
        return (f"the branch was rewritten: {short(new)} does not contain {short(old)}",)
    commits = await repository.commits(old, new)
    return tuple(f"{commit.short} {commit.subject} ({commit.author}, {at(commit.at)})" for commit in commits)
