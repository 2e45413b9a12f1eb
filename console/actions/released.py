"""Which commit is being released, whether it is here to be pushed, and what moved when a branch is not where it was.

What always holds: of a commit that neither the clone nor the remote holds it is said that it was not pushed only where
the remote was read, and where this run recorded no push of it.
"""

from console.actions.handover import left_by, unfinished
from console.actions.wording import at, short
from console.errors import RepositoryError, StepFailed
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


async def is_held(repository: Repository, commit: str, tip: str) -> bool:
    """Whether the clone, or else the remote, holds a commit; one made on another machine and never pushed neither does.

    `tip` is a commit of the remote. Raises RepositoryError when the remote cannot be asked, or the clone be read.
    """
    try:
        await repository.resolve(commit)
    except RepositoryError:
        # It is missing only where everything else can be read.
        await repository.fetch()
        await repository.resolve(tip)
        return False
    return True


async def contains(repository: Repository, tip: str, commit: str) -> bool:
    """Whether a tip of the remote contains a commit; what nobody pushed is on no branch."""
    return await is_held(repository, commit, tip) and await repository.is_ancestor(commit, tip)


async def require_held(
    ctx: Context, repository: Repository, commit: str, tip: str, *, what: str, remedy: str, production: str = ""
) -> None:
    """Raise StepFailed when a commit to be pushed is in another machine's clone alone."""
    if await is_held(repository, commit, tip) or _recorded_as_pushed(ctx, commit):
        return
    raise StepFailed(
        f"The {what} {short(commit)} was made on another machine (or in a clone that was removed since) and never "
        "pushed: neither the repository nor this machine's clone holds it.",
        production=production,
        remedy=remedy,
    )


def _recorded_as_pushed(ctx: Context, commit: str) -> bool:
    """Whether an attempt at this step saw its push arrive: then somebody has taken the commit away again."""
    return any(data.get("pushed") == commit for data in (*ctx.recorded, *unfinished(ctx).progress))


async def what_moved(repository: Repository, old: str, new: str) -> tuple[str, ...]:
    """Who moved a branch from one tip to another: a line a commit. The clone must be fetched."""
    if not await repository.is_ancestor(old, new):
        return (f"the branch was rewritten: {short(new)} does not contain {short(old)}",)
    commits = await repository.commits(old, new)
    return tuple(f"{commit.short} {commit.subject} ({commit.author}, {at(commit.at)})" for commit in commits)
