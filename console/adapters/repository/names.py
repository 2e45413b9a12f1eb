"""Names that reach git: a branch, a revision, a path. Checked before, so that none is taken for an option."""

import re

from console.errors import RepositoryError

_HASH = re.compile(r"[0-9a-f]{4,40}")
_FULL = re.compile(r"[0-9a-f]{40}")
# What git check-ref-format refuses, and what a shell or a terminal would make something else of.
_NO_BRANCH = re.compile(r"^[-./]|[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/\.|\.lock(/|$)|[./]$|^@$")


def head_ref(branch: str) -> str:
    """The full name of a branch at the remote. Raises RepositoryError for what can be no branch's name."""
    return f"refs/heads/{_branch(branch)}"


def tracking_ref(branch: str) -> str:
    """The full name under which the clone keeps a branch of the remote."""
    return f"refs/remotes/origin/{_branch(branch)}"


def is_hash(text: str) -> bool:
    """Whether a text may be a commit's hash, perhaps abbreviated."""
    return _HASH.fullmatch(text) is not None


def is_full_hash(text: str) -> bool:
    """Whether a text may be a whole hash."""
    return _FULL.fullmatch(text) is not None


def _branch(branch: str) -> str:
    if not branch or _NO_BRANCH.search(branch):
        raise RepositoryError(
            f"{branch!r} can be no branch's name.",
            production="Nothing was changed.",
            remedy="Check the branches in the plan.",
        )
    return branch
