"""The repository in the domain's own types. Hashes are full, 40 hex digits."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit: hash, subject and whole message, author's name, when committed (UTC), parents."""

    id: str
    subject: str
    message: str
    author: str
    at: datetime
    parents: tuple[str, ...]

    @property
    def short(self) -> str:
        """The first seven digits."""
        return self.id[:7]


@dataclass(frozen=True, slots=True)
class FileChange:
    """A path that differs between two commits: A(dded), M(odified), D(eleted), with line counts."""

    path: str
    change: str
    added: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What merging `source` into `target` would bring, found without touching any branch.

    `conflicts` are the paths that do not merge; `ahead` the commits of the target that the source lacks.
    """

    source: str
    target: str
    commits: tuple[Commit, ...]
    files: tuple[FileChange, ...]
    conflicts: tuple[str, ...]
    ahead: tuple[Commit, ...]
