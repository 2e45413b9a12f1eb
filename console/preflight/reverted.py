"""A release that was taken back: its commits lie in the target's history, so that merging them brings them no more."""

from collections.abc import AsyncIterator, Collection, Sequence

from console.domain.findings import Finding, Severity
from console.domain.reverts import reapply_name, reverted_hash, standing_reverts
from console.domain.source import Commit
from console.errors import RepositoryError
from console.ports import Repository
from console.preflight.ground import Ground, listed

_CODE = "repo.reverted_release"
_NAMES = 20


async def look(ground: Ground, brought: Collection[str]) -> AsyncIterator[Finding]:
    """Whether the target holds a revert of the release; `brought` are the paths that merging would change."""
    repository, release, tips = ground.ports.repository, ground.plan.release, ground.tips
    try:
        fix = await repository.resolve(release.fix_commit)
    except RepositoryError:
        return  # that it is not there has been told
    since = await repository.commits(fix.id, tips.target)
    standing = standing_reverts((*await repository.commits(tips.target, tips.source), *since))
    candidates = [each for each in standing if each in since]  # what the source alone reverts is its own matter
    if not candidates:
        return
    came = await _came(repository, fix.id, since)
    reverts = [each for each in candidates if await _takes_back(ground, each, fix.id, came)]
    if not reverts:
        return
    missing = sorted(set(release.files) - set(brought))
    yield Finding(
        _CODE,
        Severity.BLOCKER if missing else Severity.WARNING,
        f"{release.target} holds a revert of the release: {_consequence(ground, missing)}.",
        listed([f"{each.short} {each.subject} (of {reverted_hash(each.message)[:7]})" for each in reverts]),
        await _remedy(ground, reverts, since, came.id if came is not None else fix.id),
    )


async def _came(repository: Repository, fix: str, since: Sequence[Commit]) -> Commit | None:
    """The merge by which the fix came to the target; None when it is not there, or came without one."""
    for commit in reversed(since):
        if len(commit.parents) > 1 and await _brings(repository, commit, fix):
            return commit
    return None


async def _brings(repository: Repository, merge: Commit, fix: str) -> bool:
    """Whether a merge holds the fix and its first parent did not."""
    return await repository.is_ancestor(fix, merge.id) and not await repository.is_ancestor(fix, merge.parents[0])


async def _takes_back(ground: Ground, revert: Commit, fix: str, came: Commit | None) -> bool:
    """Whether a revert is one of the release: of its fix, of a merge of it, or of another of its commits."""
    repository = ground.ports.repository
    try:
        undone = await repository.resolve(reverted_hash(revert.message))
    except RepositoryError:
        return False  # it names a commit of another repository
    if undone.id == fix:
        return True
    if len(undone.parents) > 1:
        return await _brings(repository, undone, fix)
    if came is not None:
        first = came.parents[0]
        return await repository.is_ancestor(undone.id, came.id) and not await repository.is_ancestor(undone.id, first)
    # Without a merge nothing says where the release begins, but for the files that it changes.
    if not undone.parents or not await repository.is_ancestor(undone.id, ground.tips.source):
        return False
    changed = {change.path for change in await repository.changes(undone.parents[0], undone.id)}
    return not changed.isdisjoint(ground.plan.release.files)


def _consequence(ground: Ground, missing: Sequence[str]) -> str:
    release = ground.plan.release
    if len(missing) == len(release.files):
        return f"merging {release.source} brings none of it again"
    if missing:
        return f"merging {release.source} leaves out {listed(missing)}"
    return f"merging {release.source} may not bring all of it again"


async def _remedy(ground: Ground, reverts: Sequence[Commit], since: Sequence[Commit], released: str) -> str:
    release = ground.plan.release
    hashes = " ".join(each.short for each in reverts)
    by_hand = f"git revert {hashes} on a branch off {release.target}, and merge that into {release.source}"
    branch = await _reapplies(ground, reapply_name(released), reverts, since)
    if branch:
        return f"Merge {branch}, which reverts the revert, into {release.source}. By hand it would be: {by_hand}."
    return f"Revert the revert: {by_hand}."


async def _reapplies(ground: Ground, name: str, reverts: Sequence[Commit], since: Sequence[Commit]) -> str:
    """The branch, as the console makes one after a rollback, with which none of these reverts holds; else empty."""
    repository = ground.ports.repository
    for branch in (name, *(f"{name}-{number}" for number in range(2, _NAMES))):
        try:
            tip = await repository.tip(branch)
        except RepositoryError:
            return ""  # the names are given in this order
        holding = standing_reverts((*await repository.commits(ground.tips.target, tip), *since))
        if not any(each in holding for each in reverts):
            return branch
    return ""
