"""The release on the target branch: what brought it, what stood there before, and whether it was taken back since.

It reads history only. What always holds: a revert counts by what its message says that it reverts, a revert of a revert
brings the release again, and a branch with the tree from before does not hold the release, however it came to that.
"""

from dataclasses import dataclass

from console.actions.released import is_held
from console.actions.wording import listed, short
from console.domain.outcome import Line, Tone
from console.domain.plan import Json
from console.domain.released import MERGE, PUSH, by_action, pushed, release_commit
from console.domain.reverts import reverted_hash
from console.domain.source import Commit
from console.domain.standing import Runs
from console.domain.state import RunState
from console.errors import RepositoryError, StepFailed
from console.ports import Repository

_LONGEST_WALK = 200


@dataclass(frozen=True, slots=True)
class Span:
    """The release: `commit` brought it onto `before`; `parts` are the commits between, newest first."""

    commit: str
    before: str
    parts: tuple[Commit, ...]

    @property
    def merge(self) -> Commit | None:
        """The merge commit by which it came, or None when the branch was simply moved on."""
        first = next((part for part in self.parts if part.id == self.commit), None)
        return first if first is not None and len(first.parents) > 1 and first.parents[0] == self.before else None

    @property
    def changes(self) -> tuple[Commit, ...]:
        """The commits that change files: merges are the sum of theirs."""
        return tuple(part for part in self.parts if len(part.parents) < 2)


@dataclass(frozen=True, slots=True)
class OnBranch:
    """How the branch stands to the release at `tip`.

    `undone`: for each commit of the release that was reverted, and not brought again, the commit that did it.
    `since` are the commits after the release, newest first; `others` those that neither revert nor reapply it.
    """

    tip: str
    holds: bool
    undone: dict[str, str]
    since: tuple[Commit, ...]
    others: tuple[Commit, ...]

    @property
    def reverts(self) -> tuple[Commit, ...]:
        """The reverts of the release that stand, newest first: taking them back, in this order, brings it again."""
        standing = set(self.undone.values())
        return tuple(each for each in self.since if each.id in standing)


@dataclass(frozen=True, slots=True)
class Stays:
    """A path that a revert leaves different from before; `others` are the commits of others that changed it since."""

    path: str
    others: tuple[Commit, ...] = ()

    @property
    def line(self) -> Line:
        """As previews and prices show it."""
        if not self.others:
            return Line(self.path, note="of the release", tone=Tone.DANGER)
        by = listed(f"{each.short} {each.subject} ({each.author})" for each in self.others)
        return Line(self.path, note=f"changed by {by}", tone=Tone.WARNING)


async def release_span(state: RunState, repository: Repository) -> Span:
    """What brings the release to the target branch, from the record or, where it came by hand, from the branches.

    The clone must be fetched. When nothing was merged yet, or in another machine's clone alone, it is the source branch
    upon the target's tip. Raises StepFailed when nobody can say what was on the branch before.
    """
    commit = release_commit(state)
    if not commit or await _never_pushed(state, repository, commit):
        return await _by_hand(state, repository)
    recorded = (_recorded(state, PUSH, "old_tip"), _recorded(state, MERGE, "target"))
    parents = (await repository.resolve(commit)).parents
    for before in (*recorded, parents[0] if len(parents) > 1 else ""):
        # A push that was tried again finds the release on the branch already: that tip is not from before.
        if before and not await repository.is_ancestor(commit, before):
            return Span(commit, before, await repository.commits(before, commit))
    raise _unclear(commit)


async def on_branch(repository: Repository, span: Span, tip: str) -> OnBranch:
    """Whether the branch holds the release at `tip`, and what came since. The clone must be fetched."""
    if not await repository.is_ancestor(span.commit, tip):
        return OnBranch(tip, False, {}, (), ())
    since = await repository.commits(span.commit, tip)
    undone, kin = _undone(span, since)
    others = tuple(each for each in since if each.id not in kin)
    if await repository.tree(tip) == await repository.tree(span.before):
        return OnBranch(tip, False, undone, since, others)
    left = [part for part in span.changes if part.id not in undone]
    return OnBranch(tip, bool(left) and span.commit not in undone, undone, since, others)


def to_revert(span: Span, branch: OnBranch) -> tuple[str, ...]:
    """What takes the whole release back, in this order.

    A merge goes whole, against its first parent; reverts of single commits of it are reverted first, so that it meets
    what it brought. Without a merge commit, what is left of the range goes newest first.
    """
    if span.merge is None:
        return tuple(part.id for part in span.changes if part.id not in branch.undone)
    return (*(each.id for each in branch.reverts), span.commit)


async def what_stays(repository: Repository, span: Span, branch: OnBranch, commit: str) -> list[Stays]:
    """Every path in which a revert on that branch differs from before, with the commits of others that explain it."""
    if await same_tree(repository, commit, span.before):
        return []
    stays = {change.path: Stays(change.path) for change in await repository.changes(span.before, commit)}
    for other in branch.others:
        # A merge only sums up commits that are here themselves.
        for change in await repository.changes(other.parents[0], other.id) if len(other.parents) == 1 else ():
            if change.path in stays:
                known = stays[change.path]
                stays[change.path] = Stays(known.path, (*known.others, other))
    return list(stays.values())


async def runs(repository: Repository, span: Span, commit: str) -> Runs:
    """What a service that runs this commit runs: the release, what was there before, or something else.

    Others' commits beside make no difference: what counts is whether the release is in it, whole or not at all.
    """
    if await same_tree(repository, commit, span.before):
        return Runs.OLD
    if await same_tree(repository, commit, span.commit):
        return Runs.NEW
    try:
        branch = await on_branch(repository, span, commit)
        known = branch.since or await repository.is_ancestor(commit, span.before)
    except RepositoryError:
        # No branch holds that commit any more: what it brings cannot be told.
        return Runs.OTHER
    if branch.holds:
        return Runs.OTHER if branch.undone else Runs.NEW
    return Runs.OLD if known else Runs.OTHER


async def same_tree(repository: Repository, commit: str, other: str) -> bool:
    """Whether two commits hold the same files; a commit that the clone does not hold is like no other."""
    if commit == other:
        return True
    try:
        return await repository.tree(commit) == await repository.tree(other)
    except RepositoryError:
        # Deploys may run what no branch holds any more. What the release needs has been read before.
        return False


def _undone(span: Span, since: tuple[Commit, ...]) -> tuple[dict[str, str], set[str]]:
    """What stays reverted, by what; and every commit that reverts or reapplies some of the release."""
    undone: dict[str, str] = {}
    kin: dict[str, tuple[str, bool]] = {part.id: (part.id, False) for part in span.parts}
    for commit in reversed(since):
        named = reverted_hash(commit.message)
        known = next((kin[each] for each in kin if named and each.startswith(named)), None)
        if known is None:
            continue
        part, takes_back = known[0], not known[1]
        kin[commit.id] = (part, takes_back)
        if takes_back:
            undone[part] = commit.id
        else:
            undone.pop(part, None)
    return undone, set(kin)


async def _never_pushed(state: RunState, repository: Repository, commit: str) -> bool:
    """Whether a commit was made on another machine and never left it; what a push was recorded of did leave it."""
    if pushed(state) or _seen_pushed(state, commit):
        return False
    return not await is_held(repository, commit, await repository.tip(state.plan.release.target))


def _seen_pushed(state: RunState, commit: str) -> bool:
    """Whether an attempt at the push that did not succeed saw it arrive."""
    attempts = (
        (*step.progress, *(step.unfinished.progress if step.unfinished is not None else ()))
        for step in by_action(state, PUSH)
    )
    return any(data.get("pushed") == commit for progress in attempts for data in progress)


async def _by_hand(state: RunState, repository: Repository) -> Span:
    release = state.plan.release
    source, target = await repository.tip(release.source), await repository.tip(release.target)
    if not await repository.is_ancestor(source, target):
        return Span(source, target, await repository.commits(target, source))
    here = await repository.resolve(target)
    for _ in range(_LONGEST_WALK):
        if len(here.parents) == 0:
            break
        if not await repository.is_ancestor(source, here.parents[0]):
            if len(here.parents) < 2:
                break
            return Span(here.id, here.parents[0], await repository.commits(here.parents[0], here.id))
        here = await repository.resolve(here.parents[0])
    raise _unclear(source)


def _recorded(state: RunState, action: str, key: str) -> str:
    for step in by_action(state, action):
        value: Json = state.evidence(step.step.id).get(key)
        if isinstance(value, str) and value:
            return value
    return ""


def _unclear(commit: str) -> StepFailed:
    return StepFailed(
        f"Nobody can say what was on the branch before the release: {short(commit)} came without a merge commit, and "
        "not through this run.",
        remedy="Revert the release's commits by hand, newest first, push, and mark the steps as done by hand.",
    )
