"""Repository: the branches exist, hold the release and nothing else, and merge without conflict."""

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator

from console.domain.findings import Finding, Severity
from console.domain.source import MergePreview
from console.errors import RepositoryError
from console.preflight import reverted
from console.preflight.ground import Ground, listed

_NUMBER = re.compile(r"\d+")


async def look(ground: Ground) -> AsyncIterator[Finding]:
    """The branches of all services, then what a merge would bring."""
    async for finding in _branches(ground):
        yield finding
    release, repository, tips = ground.plan.release, ground.ports.repository, ground.tips
    async for finding in _fix(ground):
        yield finding
    if await repository.is_ancestor(tips.source, tips.target):
        async for finding in reverted.look(ground, ()):
            yield finding
        yield Finding(
            "repository.nothing_new",
            Severity.BLOCKER,
            f"{release.target} already holds all of {release.source}: there is nothing to merge.",
            f"{tips.source[:7]} is contained in {tips.target[:7]}",
            "If the release was reverted, revert the revert on the source branch first.",
        )
        return
    merge = await repository.preview_merge(tips.source, tips.target)
    for finding in (*_conflicts(ground, merge), *_content(ground, merge)):
        yield finding
    async for finding in reverted.look(ground, [change.path for change in merge.files]):
        yield finding
    paths = {*await repository.paths(tips.source), *await repository.paths(tips.target)}
    for finding in _shared_numbers(ground.plan.migration.file, paths):
        yield finding


async def _branches(ground: Ground) -> AsyncIterator[Finding]:
    release = ground.plan.release
    needed = dict.fromkeys((release.source, release.target, *(service.branch for service in ground.plan.services)))
    for branch in needed:
        try:
            await ground.ports.repository.tip(branch)
        except RepositoryError as error:
            yield Finding(
                f"repository.branch.{branch}",
                Severity.BLOCKER if branch in (release.source, release.target) else Severity.WARNING,
                f"The branch {branch} could not be found at the remote.",
                error.message,
                error.remedy or f"Push {branch}, or correct its name in the plan.",
            )


async def _fix(ground: Ground) -> AsyncIterator[Finding]:
    release, repository = ground.plan.release, ground.ports.repository
    try:
        fix = await repository.resolve(release.fix_commit)
    except RepositoryError as error:
        message = f"The fix {release.fix_commit} is not in the repository."
        remedy = "Correct fix_commit in the plan, or push the branch that holds it."
        yield Finding("repository.fix", Severity.BLOCKER, message, error.message, remedy)
        return
    if not await repository.is_ancestor(fix.id, ground.tips.source):
        yield Finding(
            "repository.fix",
            Severity.BLOCKER,
            f"The fix {fix.short} is not in {release.source}: merging would not bring it.",
            f"{release.source} is at {ground.tips.source[:7]}",
            f"Merge the fix into {release.source}.",
        )


def _conflicts(ground: Ground, merge: MergePreview) -> Iterator[Finding]:
    release = ground.plan.release
    if merge.conflicts:
        yield Finding(
            "repository.conflict",
            Severity.BLOCKER,
            f"{release.source} and {release.target} do not merge.",
            f"in conflict: {listed(merge.conflicts)}",
            f"Merge {release.target} into {release.source}, solve the conflicts there and test again.",
        )
    elif merge.ahead:
        yield Finding(
            "repository.diverged",
            Severity.WARNING,
            f"{release.target} has {_commits(len(merge.ahead))} that {release.source} was never tested with.",
            listed([f"{commit.short} {commit.subject}" for commit in merge.ahead]),
            f"Merge {release.target} into {release.source} and test again.",
        )


def _content(ground: Ground, merge: MergePreview) -> Iterator[Finding]:
    declared, changed = set(ground.plan.release.files), {change.path for change in merge.files}
    remedy = "Take what does not belong to the release out of the source branch, or declare it in the plan."
    if changed - declared:
        yield Finding(
            "repository.undeclared",
            Severity.BLOCKER,
            "The release changes files that the plan does not declare.",
            listed(sorted(changed - declared)),
            remedy,
        )
    if declared - changed:
        yield Finding(
            "repository.unchanged",
            Severity.BLOCKER,
            "The release leaves files as they are that the plan declares.",
            listed(sorted(declared - changed)),
            "See that everything is merged into the source branch, or correct the plan.",
        )


def _shared_numbers(migration: str, paths: Iterable[str]) -> Iterator[Finding]:
    """Two migration files of one number: which of them a runner takes, and in which order, is chance."""
    folder = migration.rpartition("/")[0]
    named: defaultdict[int, list[str]] = defaultdict(list)
    for path in sorted(paths):
        if path.rpartition("/")[0] == folder and path.endswith(".sql") and (number := _number(path)) is not None:
            named[number].append(path.rpartition("/")[2])
    for number, names in sorted(named.items()):
        if len(names) == 1:
            continue
        ours = number == _number(migration)
        yield Finding(
            f"repository.migration_number.{number}",
            Severity.BLOCKER if ours else Severity.WARNING,
            f"{len(names)} migration files bear the number {number}.",
            listed(names),
            "Renumber one of them on the source branch.",
        )


def _number(path: str) -> int | None:
    match = _NUMBER.match(path.rpartition("/")[2])
    return None if match is None else int(match[0])


def _commits(count: int) -> str:
    return f"{count} commit" if count == 1 else f"{count} commits"
