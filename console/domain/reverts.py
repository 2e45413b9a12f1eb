"""Reverts as git writes them: which commit a message says that it takes back, and which reverts hold.

Pure. What always holds: a revert counts by its message, and one that was itself reverted does not count.
"""

import re
from collections.abc import Sequence

from console.domain.source import Commit

_REVERTS = re.compile(r"^This reverts commit ([0-9a-f]{7,40})\b", re.MULTILINE)


def reverted_hash(message: str) -> str:
    """The hash, perhaps abbreviated, that a revert's message names; empty for any other message."""
    found = _REVERTS.search(message)
    return found[1] if found else ""


def standing_reverts(commits: Sequence[Commit]) -> tuple[Commit, ...]:
    """Of commits, newest first, the reverts that none of the later ones takes back, newest first."""
    taken_back: list[str] = []
    standing: list[Commit] = []
    for commit in commits:
        named = reverted_hash(commit.message)
        if named and not any(commit.id.startswith(each) for each in taken_back):
            standing.append(commit)
            taken_back.append(named)
    return tuple(standing)


def reapply_name(released: str) -> str:
    """What the branch is called that brings a reverted release again: after the commit (a hash) that first brought it.

    Where that name is taken, `-2`, `-3` … follows it.
    """
    return f"reapply-{released[:7]}"
