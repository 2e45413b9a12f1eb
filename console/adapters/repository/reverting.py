"""Reverting in the clone: computed without a working tree, a new commit for each, as `git revert` would make them.

What always holds: a merge is reverted against its first parent, and no message that is made here keeps a deploy from
happening.
"""

import re
from collections.abc import Sequence
from itertools import zip_longest

from console.adapters.repository.clone import Clone
from console.adapters.repository.merging import Merger
from console.domain.source import Commit
from console.errors import MergeConflict, RepositoryError

_UNCHANGED = "Nothing was changed; the revert exists nowhere."
# A push with one of these in its message is not deployed; a reverted commit's subject may bring them along.
_SKIPS = re.compile(r"\s*\[\s*(?:skip\s+(?:render|deploy|cd)|(?:render|deploy|cd)\s+skip)\s*\]", re.IGNORECASE)


class Reverter:
    """Reverts commits of a clone. Blocking. Raises RepositoryError."""

    def __init__(self, clone: Clone, merger: Merger) -> None:
        self._clone = clone
        self._merger = merger

    def revert(self, commits: Sequence[str], onto: str, messages: Sequence[str]) -> Commit:
        """Revert commits in this order on top of commit `onto`, a new commit each; the last of them.

        A commit of which nothing is left is passed over. `messages`, one a commit, replace git's own, an empty one
        does not. Raises MergeConflict with the paths, and RepositoryError when there is nothing to revert.
        """
        if messages and len(messages) != len(commits):
            raise ValueError(f"{len(messages)} messages for {len(commits)} commits")
        start = tip = self._clone.commit_id(onto)
        for rev, message in zip_longest(commits, messages, fillvalue=""):
            tip = self._revert_one(self._clone.commit(rev), tip, message)
        if tip == start:
            raise RepositoryError(
                f"There is nothing to revert: {start[:7]} holds nothing of {_listed(commits)} any more.",
                production=_UNCHANGED,
                remedy="See whether it was reverted before.",
            )
        return self._clone.commit(tip)

    def _revert_one(self, commit: Commit, onto: str, message: str) -> str:
        if not commit.parents:
            raise RepositoryError(
                f"{commit.short} is the repository's first commit: there is nothing before it to go back to.",
                production=_UNCHANGED,
                remedy="Check the commits that make the release.",
            )
        if not self._clone.is_ancestor(commit.id, onto):
            raise RepositoryError(
                f"{onto[:7]} does not contain {commit.short}, so it cannot be reverted there.",
                production=_UNCHANGED,
                remedy="Check which branch holds the release.",
            )
        # A history of its own for three trees: git merges `onto` with the parent, and takes the commit for their base.
        base = self._merger.commit(self._clone.tree(commit.id), (), "base")
        ours = self._merger.commit(self._clone.tree(onto), (base,), "ours")
        theirs = self._merger.commit(self._clone.tree(commit.parents[0]), (base,), "theirs")
        merged = self._merger.merged(theirs, ours)
        if merged.conflicts:
            raise MergeConflict(
                f"{commit.short} ({commit.subject}) cannot be reverted on top of {onto[:7]}: "
                f"{', '.join(merged.conflicts)} in conflict.",
                files=merged.conflicts,
                production=_UNCHANGED,
                remedy="Revert it by hand on a branch off the target, resolve the conflict, test it, and push it.",
            )
        if merged.tree == self._clone.tree(onto):
            return onto
        return self._merger.commit(merged.tree, (onto,), _SKIPS.sub("", message or _message(commit)), keep=True)


def _message(commit: Commit) -> str:
    """What `git revert` writes."""
    subject = commit.subject
    first = subject.removeprefix('Revert "')
    again = subject != first and not first.startswith('Revert "')
    title = f'Reapply "{first}' if again else f'Revert "{subject}"'
    of_merge = f", reversing\nchanges made to {commit.parents[0]}" if len(commit.parents) > 1 else ""
    return f"{title}\n\nThis reverts commit {commit.id}{of_merge}.\n"


def _listed(commits: Sequence[str]) -> str:
    return ", ".join(commit[:7] for commit in commits) or "no commit"
