"""Merging in the clone: computed without a working tree, committed with both parents, never fast-forwarded."""

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from console.adapters.repository.clone import Clone
from console.adapters.repository.command import GitCommand
from console.domain.source import Commit, MergePreview
from console.errors import MergeConflict, RepositoryError

_MERGE_TREE_SINCE = (2, 38)


@dataclass(frozen=True, slots=True)
class Author:
    """Who signs the commits that are made here."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge comes to: the tree, and the paths that are in conflict."""

    tree: str
    conflicts: tuple[str, ...]


class Merger:
    """Merges commits of a clone. Blocking. Raises RepositoryError."""

    def __init__(self, clone: Clone, author: Author | None = None) -> None:
        self._clone = clone
        self._git = clone.git
        self._author = author

    def preview(self, source: str, target: str) -> MergePreview:
        """What merging commit `source` into commit `target` would bring; touches no branch."""
        source, target = self._clone.commit_id(source), self._clone.commit_id(target)
        merged = self.merged(source, target)
        base = target if not merged.conflicts else self._git.run("merge-base", target, source).text
        return MergePreview(
            source=source,
            target=target,
            commits=self._clone.commits(target, source),
            files=self._clone.changes(base, merged.tree if not merged.conflicts else source),
            conflicts=merged.conflicts,
            ahead=self._clone.commits(source, target),
        )

    def merge(self, source: str, target: str, message: str) -> Commit:
        """Make the merge commit. Raises MergeConflict, and RepositoryError when there is nothing to merge."""
        source, target = self._clone.commit_id(source), self._clone.commit_id(target)
        if self._clone.is_ancestor(source, target):
            raise RepositoryError(
                f"There is nothing to merge: {target[:7]} already contains {source[:7]}.",
                production="Nothing was changed.",
                remedy="See whether the release was merged before; after a reverted merge, revert the revert first.",
            )
        merged = self.merged(source, target)
        if merged.conflicts:
            raise MergeConflict(
                f"{source[:7]} does not merge into {target[:7]}: {', '.join(merged.conflicts)} in conflict.",
                files=merged.conflicts,
                production="Nothing was changed; the merge exists nowhere.",
                remedy="Merge the target into the source branch, resolve the conflict there, test it, and come again.",
            )
        return self._clone.commit(self.commit(merged.tree, (target, source), message, keep=True))

    def commit(self, tree: str, parents: Sequence[str], message: str, *, keep: bool = False) -> str:
        """Make a commit of a tree and return its hash; one to `keep` outlives any cleaning up."""
        of = [word for parent in parents for word in ("-p", parent)]
        made = self._git.run(
            *("commit-tree", tree, *of, "-F", "-"), stdin=message.encode(), environment=self._signature()
        ).text
        if keep:
            # A ref of its own: no cleaning up may take a commit that nothing else names yet.
            self._git.run("update-ref", f"refs/release-console/{made}", made)
        return made

    def merged(self, source: str, target: str) -> Merged:
        """What merging commit `source` into commit `target` comes to, by their nearest common ancestor."""
        if self._version() < _MERGE_TREE_SINCE:
            return self._merge_in_worktree(source, target)
        output = self._git.run(
            *("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", target, source), expect=(0, 1)
        )
        tree, *files = output.fields
        return Merged(tree, tuple(sorted({path for path in files if path})))

    def _merge_in_worktree(self, source: str, target: str) -> Merged:
        """The same for a git that cannot merge without a working tree: in a temporary one."""
        folder = Path(tempfile.mkdtemp(prefix="release-console-merge-"))
        try:
            self._git.run("worktree", "add", "--quiet", "--detach", str(folder / "tree"), target)
            return self._merge_here(folder / "tree", source)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            self._git.run("worktree", "prune")

    def _merge_here(self, tree: Path, source: str) -> Merged:
        outcome = self._git.run(
            *("merge", "--quiet", "--no-commit", "--no-ff", "--no-edit", source),
            expect=(0, 1),
            environment=self._signature(),
            work_tree=tree,
        )
        if outcome.status == 0:
            return Merged(self._git.run("write-tree", work_tree=tree).text, ())
        conflicts = self._git.run("diff", "--name-only", "--diff-filter=U", "-z", work_tree=tree).fields
        return Merged("", tuple(sorted(conflicts)))

    def _version(self) -> tuple[int, int]:
        found = re.search(r"(\d+)\.(\d+)", self._git.run("version").text)
        return (int(found[1]), int(found[2])) if found else (0, 0)

    def _signature(self) -> dict[str, str]:
        author = self._author or person(self._git)
        return {
            "GIT_AUTHOR_NAME": author.name,
            "GIT_AUTHOR_EMAIL": author.email,
            "GIT_AUTHOR_DATE": "",
            "GIT_COMMITTER_NAME": author.name,
            "GIT_COMMITTER_EMAIL": author.email,
            "GIT_COMMITTER_DATE": "",
        }


def person(git: GitCommand) -> Author:
    """The person as their own git configuration names them, else the console."""
    home = Path.home()
    own = os.environ.get("GIT_CONFIG_GLOBAL")
    files = [Path(own)] if own else [home / ".gitconfig", home / ".config" / "git" / "config"]

    def setting(name: str) -> str:
        for file in files:
            if file.is_file():
                found = git.run("config", "--file", str(file), "--includes", "--get", name, expect=(0, 1)).text
                if found:
                    return found
        return ""

    name = setting("user.name")
    return Author(name, setting("user.email") or "release-console@localhost") if name else _CONSOLE


_CONSOLE = Author("release-console", "release-console@localhost")
