"""The console's own clone: bare, holding what the remote's branches hold; reading it, and asking the remote.

Blocking; `GitRepository` calls it in a thread. The person's working tree is never touched. What always holds: no
commit or branch is said not to be there before the remote was asked for it.
"""

import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from console.adapters.repository.command import NETWORK_S, GitCommand
from console.adapters.repository.names import head_ref, is_full_hash, is_hash, tracking_ref
from console.adapters.repository.troubles import without_password
from console.domain.source import Commit, FileChange
from console.errors import RepositoryError

_COMMIT_FORMAT = "%H%x00%P%x00%an%x00%ct%x00%s%x00%B"
_COMMIT_FIELDS = 6
_FETCH_S = 300.0
_ASKED_S = 10.0
"""Seconds for which a revision that a fetch did not bring is not fetched for again: one look asks for it many times."""


class Clone:
    """A bare clone of `remote` in `directory`, made on the first fetch. Raises RepositoryError."""

    def __init__(self, remote: str, directory: Path, *, credential_helper: str = "") -> None:
        self.remote = remote
        self.git = GitCommand(directory, credential_helper=credential_helper)
        self._asked: dict[str, float] = {}
        _check_remote(remote)

    def fetch(self) -> None:
        """Make the clone's branches those of the remote."""
        self._make()
        # A shallow remote's history is taken as it is, to be found out below, and completed when it is whole again.
        depth = "--unshallow" if self._is_shallow() else "--update-shallow"
        self.git.run(
            *("fetch", "--quiet", "--prune", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", depth),
            *("--", self.remote, "+refs/heads/*:refs/remotes/origin/*"),
            timeout=_FETCH_S,
        )
        if self._is_shallow():
            raise RepositoryError(
                f"The repository {without_password(self.remote)} holds a shallow history: "
                "what it lacks cannot be compared or merged.",
                production="Nothing was changed.",
                remedy="Complete it where it lies (git fetch --unshallow), then try again.",
            )

    def tip(self, branch: str) -> str:
        """The branch's tip at the remote, now. Raises RepositoryError when there is no such branch."""
        found = self.tip_if_any(branch)
        if found:
            return found
        raise RepositoryError(
            f"There is no branch {branch} at {without_password(self.remote)}.",
            production="Nothing was changed.",
            remedy="Check the branches in the plan; perhaps it was merged and deleted.",
        )

    def tip_if_any(self, branch: str) -> str:
        """The branch's tip at the remote, now; empty when there is no such branch."""
        ref = head_ref(branch)
        found = self.git.run(
            "ls-remote", "--exit-code", "--", self.remote, ref, timeout=NETWORK_S, expect=(0, 2)
        ).text.splitlines()
        for line in found:
            commit, _, name = line.partition("\t")
            if name == ref:
                return commit
        return ""

    def commit_id(self, rev: str) -> str:
        """The full hash of a hash, perhaps abbreviated, or of a branch of the remote as last fetched.

        What the clone does not know is fetched for, once: another machine may have pushed it since.
        """
        name = rev if is_hash(rev) else tracking_ref(rev)
        found = self._find(name)
        if not found and is_hash(rev) and len(rev) < 40 and len(self._candidates(rev)) > 1:
            raise RepositoryError(f"{rev} begins the hash of more than one commit.", remedy="Give more of its digits.")
        if not found and self._fetched_for(rev):
            found = self._find(name)
        if found:
            return found
        raise RepositoryError(
            f"The repository holds no commit {rev}." if is_hash(rev) else f"The repository has no branch {rev}.",
            production="Nothing was changed.",
            remedy="Check the commit in the plan, and that it was pushed." if is_hash(rev) else "Check the plan.",
        )

    def commit(self, rev: str) -> Commit:
        """The commit that a revision names."""
        return self._log(self.commit_id(rev), "--max-count=1")[0]

    def tree(self, rev: str) -> str:
        """The hash of a commit's tree."""
        return self.git.run("rev-parse", "--verify", f"{self.commit_id(rev)}^{{tree}}").text

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Whether `descendant` contains `ancestor`."""
        pair = self.commit_id(ancestor), self.commit_id(descendant)
        return self.git.run("merge-base", "--is-ancestor", *pair, expect=(0, 1)).status == 0

    def commits(self, base: str, head: str) -> tuple[Commit, ...]:
        """The commits of `head` that `base` lacks, newest first."""
        return self._log("--date-order", self.commit_id(head), "^" + self.commit_id(base))

    def changes(self, base: str, head: str) -> tuple[FileChange, ...]:
        """The files that differ between two commits or trees, by path."""
        options = ("-r", "-z", "--no-renames", "--no-ext-diff", "--no-textconv")
        statuses = self.git.run("diff-tree", *options, "--name-status", base, head).fields
        numbers = self.git.run("diff-tree", *options, "--numstat", base, head).fields
        counts = {
            path: (_count(added), _count(removed)) for added, removed, path in (n.split("\t", 2) for n in numbers)
        }
        return tuple(
            FileChange(path, change if change in "AD" else "M", *counts.get(path, (0, 0)))
            for change, path in zip(statuses[::2], statuses[1::2], strict=True)
        )

    def read(self, commit: str, path: str) -> bytes:
        """A file's bytes at a commit."""
        entry = self.git.run("--literal-pathspecs", "ls-tree", "-z", self.commit_id(commit), "--", path).fields
        kind, blob = entry[0].partition("\t")[0].split()[1:3] if len(entry) == 1 else ("", "")
        if kind != "blob":
            raise RepositoryError(
                f"There is no file {path} at commit {commit[:7]}.",
                production="Nothing was changed.",
                remedy="Check the path in the plan.",
            )
        return self.git.run("cat-file", "blob", blob).stdout

    def paths(self, commit: str) -> tuple[str, ...]:
        """All files at a commit."""
        return tuple(self.git.run("ls-tree", "-r", "-z", "--name-only", self.commit_id(commit)).fields)

    def _find(self, name: str) -> str:
        """The full hash of the commit of that name in the clone; empty when there is none."""
        found = self.git.run(
            *("rev-parse", "--quiet", "--verify", "--end-of-options", f"{name}^{{commit}}"), expect=(0, 1, 128)
        )
        return found.text if found.status == 0 and is_full_hash(found.text) else ""

    def _fetched_for(self, rev: str) -> bool:
        """Bring the clone up to date for an unknown revision; False when that was done for it just before."""
        asked = self._asked.get(rev)
        if asked is not None and time.monotonic() - asked < _ASKED_S:
            return False
        try:
            self.fetch()
        except RepositoryError as error:
            raise RepositoryError(
                f"The console's clone does not hold {rev}, and cannot be brought up to date: {error.message}",
                production=error.production,
                remedy=error.remedy,
            ) from error
        self._asked[rev] = time.monotonic()
        return True

    def _make(self) -> None:
        directory = self.git.directory
        if (directory / "HEAD").is_file():
            return
        if directory.exists() and any(directory.iterdir()):
            half_made = (directory / "objects").is_dir() or (directory / "config").is_file()
            if not half_made:
                raise RepositoryError(
                    f"{directory} holds something else than a clone.",
                    production="Nothing was changed.",
                    remedy="Move it away, or name another folder for the clone.",
                )
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise RepositoryError(
                f"The folder of the clone cannot be made: {directory}: {error.strerror}.",
                production="Nothing was changed.",
                remedy="Make room for it, or name another folder.",
            ) from error
        self.git.run("init", "--quiet", "--bare", "--template=")

    def _is_shallow(self) -> bool:
        return self.git.run("rev-parse", "--is-shallow-repository").text == "true"

    def _candidates(self, digits: str) -> list[str]:
        return self.git.run("rev-parse", f"--disambiguate={digits}", expect=(0, 1, 128)).text.splitlines()

    def _log(self, *arguments: str) -> tuple[Commit, ...]:
        output = self.git.run(
            "log", "-z", "--no-color", "--no-show-signature", f"--format={_COMMIT_FORMAT}", *arguments, "--"
        )
        fields = output.fields
        return tuple(_commit(fields[at : at + _COMMIT_FIELDS]) for at in range(0, len(fields), _COMMIT_FIELDS))


def _commit(fields: list[str]) -> Commit:
    identity, parents, author, seconds, subject, message = fields
    return Commit(
        id=identity,
        subject=subject,
        message=message.rstrip("\n"),
        author=author,
        at=datetime.fromtimestamp(int(seconds), UTC),
        parents=tuple(parents.split()),
    )


def _count(text: str) -> int:
    return int(text) if text.isdigit() else 0  # git writes "-" for a binary file


def _check_remote(remote: str) -> None:
    if remote.startswith("-") or not remote:
        raise RepositoryError(f"{remote!r} is no repository's address.", remedy="Check [release] repository.")
    if "://" in remote and urlsplit(remote).password:
        raise RepositoryError(
            f"The address {without_password(remote)} holds a password, which other users of this machine could see.",
            production="Nothing was changed.",
            remedy="Leave it out, and name a credential helper instead.",
        )
