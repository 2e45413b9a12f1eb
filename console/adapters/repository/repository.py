"""The `Repository` port over git: every call runs in a thread, one at a time, on the console's own clone."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from console.adapters.repository.clone import Clone
from console.adapters.repository.merging import Author, Merger
from console.adapters.repository.pushing import Pusher
from console.adapters.repository.reverting import Reverter
from console.domain.source import Commit, FileChange, MergePreview

T = TypeVar("T")


class GitRepository:
    """The release's repository `remote` (https, ssh, git or a path), cloned bare into `directory`.

    `author` signs the commits made here (default: the person's git identity, else `release-console`).
    `credential_helper` is a git credential helper for https, as none is taken from the person's configuration.
    """

    def __init__(
        self, remote: str, directory: Path, *, author: Author | None = None, credential_helper: str = ""
    ) -> None:
        self._clone = Clone(remote, directory, credential_helper=credential_helper)
        self._merger = Merger(self._clone, author)
        self._reverter = Reverter(self._clone, self._merger)
        self._pusher = Pusher(self._clone)
        self._turn = asyncio.Lock()

    async def fetch(self) -> None:
        """Bring the clone up to date with the remote (cloning it on first use). Raises RepositoryError."""
        await self._blocking(self._clone.fetch)

    async def tip(self, branch: str) -> str:
        """A branch's tip at the remote, now. Raises RepositoryError when it is gone."""
        return await self._blocking(self._clone.tip, branch)

    async def resolve(self, rev: str) -> Commit:
        """The commit that a hash, perhaps abbreviated, or a branch as last fetched names. Raises RepositoryError."""
        return await self._blocking(self._clone.commit, rev)

    async def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Whether `descendant` contains `ancestor`. Raises RepositoryError."""
        return await self._blocking(self._clone.is_ancestor, ancestor, descendant)

    async def commits(self, base: str, head: str) -> tuple[Commit, ...]:
        """The commits of `head` that `base` lacks, newest first. Raises RepositoryError."""
        return await self._blocking(self._clone.commits, base, head)

    async def changes(self, base: str, head: str) -> tuple[FileChange, ...]:
        """The files that differ from `base` to `head`, a rename as two changes. Raises RepositoryError."""
        return await self._blocking(self._changes, base, head)

    async def preview_merge(self, source: str, target: str) -> MergePreview:
        """What merging commit `source` into commit `target` would bring; touches nothing. Raises RepositoryError."""
        return await self._blocking(self._merger.preview, source, target)

    async def merge(self, source: str, target: str, message: str) -> Commit:
        """Make the merge commit (never a fast-forward) in the clone, not at the remote. Raises MergeConflict."""
        return await self._blocking(self._merger.merge, source, target, message)

    async def tree(self, commit: str) -> str:
        """The hash of a commit's tree: equal for commits that hold the same files. Raises RepositoryError."""
        return await self._blocking(self._clone.tree, commit)

    async def revert(self, commits: Sequence[str], onto: str, *, messages: Sequence[str] = ()) -> Commit:
        """Revert commits in this order on top of commit `onto`, one new commit each; the last of them.

        A merge is reverted against its first parent; a commit of which nothing is left is passed over. In the clone,
        not at the remote. `messages`, one a commit, replace git's own. Raises MergeConflict, and RepositoryError when
        there is nothing to revert.
        """
        return await self._blocking(lambda: self._reverter.revert(commits, onto, messages))

    async def push(self, commit: str, branch: str, *, expected_tip: str = "") -> None:
        """Push without force; raises PushRejected when the remote's tip is not `expected_tip` any more.

        Without an `expected_tip` it makes the branch, and is refused when that is there already with another commit.
        When cancelled, it waits for the push's end: half a push leaves nobody knowing.
        """
        await self._blocking(self._pusher.push, commit, branch, expected_tip, interruptible=False)

    async def read(self, commit: str, path: str) -> bytes:
        """A file's bytes at a commit. Raises RepositoryError."""
        return await self._blocking(self._clone.read, commit, path)

    async def paths(self, commit: str) -> tuple[str, ...]:
        """All files at a commit. Raises RepositoryError."""
        return await self._blocking(self._clone.paths, commit)

    def _changes(self, base: str, head: str) -> tuple[FileChange, ...]:
        return self._clone.changes(self._clone.commit_id(base), self._clone.commit_id(head))

    async def _blocking(self, work: Callable[..., T], *arguments: str, interruptible: bool = True) -> T:
        async with self._turn:
            thread = asyncio.create_task(asyncio.to_thread(work, *arguments))
            try:
                return await asyncio.shield(thread)
            except asyncio.CancelledError:
                if interruptible:
                    self._clone.git.interrupt()
                # The turn is given up only when the thread has let go of the clone.
                await asyncio.gather(thread, return_exceptions=True)
                raise
