"""The release's repository. Raises RepositoryError."""

from collections.abc import Sequence
from typing import Protocol

from console.domain.source import Commit, FileChange, MergePreview


class Repository(Protocol):
    """The release's repository: a clone of the console's own. Raises RepositoryError."""

    async def fetch(self) -> None:
        """Bring the clone up to date with the remote (cloning it on first use)."""

    async def tip(self, branch: str) -> str:
        """A branch's tip at the remote, now. Raises RepositoryError when it is gone."""

    async def resolve(self, rev: str) -> Commit:
        """The commit that a (possibly abbreviated) revision names."""

    async def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Whether `descendant` contains `ancestor`."""

    async def commits(self, base: str, head: str) -> tuple[Commit, ...]:
        """The commits of `head` that `base` lacks, newest first."""

    async def changes(self, base: str, head: str) -> tuple[FileChange, ...]:
        """The files that differ from `base` to `head`."""

    async def preview_merge(self, source: str, target: str) -> MergePreview:
        """What merging commit `source` into commit `target` would bring; touches nothing."""

    async def merge(self, source: str, target: str, message: str) -> Commit:
        """Make the merge commit (never a fast-forward) in the clone, not at the remote. Raises MergeConflict."""

    async def tree(self, commit: str) -> str:
        """The hash of a commit's tree: equal for commits that hold the same files."""

    async def revert(self, commits: Sequence[str], onto: str, *, messages: Sequence[str] = ()) -> Commit:
        """Revert commits in this order on top of commit `onto`, one new commit each; the last of them.

        A merge is reverted against its first parent. In the clone, not at the remote. `messages` replace git's own.
        Raises MergeConflict with the paths.
        """

    async def push(self, commit: str, branch: str, *, expected_tip: str) -> None:
        """Push without force; raises PushRejected when the remote's tip is not `expected_tip` any more.

        An empty `expected_tip` makes the branch, and is refused when it is already there.
        """

    async def read(self, commit: str, path: str) -> bytes:
        """A file's bytes at a commit."""

    async def paths(self, commit: str) -> tuple[str, ...]:
        """All files at a commit."""
