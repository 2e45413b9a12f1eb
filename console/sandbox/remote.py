"""The rehearsal's git remote: a bare repository with `main`, `staging` and `devtest`, and its record of pushes.

What always holds: the repository's bytes depend on nothing but this package; every move of a branch, by a push
or by a colleague, is one line of `pushes.jsonl`, written by the repository's own hook before the push ends.
"""

import asyncio
import io
import json
import shutil
import stat
import tarfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from console.sandbox.contracts import CommitInfo
from console.sandbox.git_plumbing import GitFailed, fast_import_stream, run_git
from console.sandbox.release import conflicting_commit, innocuous_commit, main_commits, release_commits

_POST_RECEIVE = """#!/bin/sh
# The durable record of pushes: one line of JSON for each ref that moved.
while read -r old new ref; do
    printf '{"old":"%s","new":"%s","ref":"%s","at":"%s","by":"push"}\\n' \\
        "$old" "$new" "$ref" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >> pushes.jsonl
done
"""

# Runs before the ref is written and outside the quarantine of pre-receive, where refs may not be moved.
_UPDATE = """#!/bin/sh
# A colleague's push to main that arrives a moment earlier, once; git itself then refuses this one.
[ "$1" = refs/heads/main ] || exit 0
mv race.armed race.taken 2>/dev/null || exit 0
first=$(cat race.taken)
git update-ref refs/heads/main "$first" "$2" || exit 0
printf '{"old":"%s","new":"%s","ref":"refs/heads/main","at":"%s","by":"colleague"}\\n' \\
    "$2" "$first" "$(date -u +%Y-%m-%dT%H:%M:%SZ)" >> pushes.jsonl
"""


@dataclass(frozen=True, slots=True)
class Push:
    """One ref that moved: hashes before and after, the ref's full name, when (UTC) and by what."""

    old: str
    new: str
    ref: str
    at: datetime
    by: str

    @property
    def branch(self) -> str:
        """The branch's short name."""
        return self.ref.removeprefix("refs/heads/")


class GitRemote:
    """The bare repository at `path`, as the provider's `Source`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def url(self) -> str:
        """The remote's URL."""
        return self.path.as_uri()

    async def head(self, branch: str) -> str | None:
        """Full hash of `branch`'s tip, or None when there is no such branch."""
        # The provider asks for every tracked branch ten times a second: the ref's own file answers at once.
        try:
            return (self.path / "refs" / "heads" / branch).read_text().strip()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return await self._resolve(f"refs/heads/{branch}")

    async def commit(self, rev: str) -> CommitInfo | None:
        """The commit that a full or abbreviated hash names, or None."""
        full = await self._resolve(rev)
        if full is None:
            return None
        shown = await run_git(self.path, "show", "--no-patch", "--format=%ct%n%B", full)
        seconds, _, message = shown.decode().partition("\n")
        return CommitInfo(full, message.rstrip("\n"), datetime.fromtimestamp(int(seconds), UTC))

    async def changed_files(self, old: str, new: str) -> tuple[str, ...]:
        """Paths that differ between two commits."""
        listed = await run_git(self.path, "diff-tree", "-r", "-z", "--name-only", "--no-renames", old, new)
        return tuple(path for path in listed.decode().split("\0") if path)

    async def checkout(self, commit: str, destination: Path) -> None:
        """Write the tree of `commit` into the new folder `destination`."""
        archive = await run_git(self.path, "archive", "--format=tar", commit)
        await asyncio.to_thread(_unpack, archive, destination)

    def pushes(self) -> tuple[Push, ...]:
        """Every move of a branch so far, oldest first; a line still being written is left for later."""
        record = self.path / "pushes.jsonl"
        if not record.exists():
            return ()
        whole = record.read_bytes().rpartition(b"\n")[0]
        return tuple(_parse_push(line) for line in whole.splitlines())

    async def _resolve(self, rev: str) -> str | None:
        if rev.startswith("-"):
            return None
        try:
            found = await run_git(self.path, "rev-parse", "--quiet", "--verify", f"{rev}^{{commit}}")
        except GitFailed:
            return None
        return found.decode().strip()


async def build_remote(path: Path, *, conflict: bool = False, race: bool = False) -> GitRemote:
    """Make the bare repository at `path`, which must not exist yet.

    `conflict` puts a colleague's commit on main that the release conflicts with; `race` lets a colleague push
    to main once, a moment before the first push that arrives.
    """
    making = path.with_name(path.name + ".making")
    shutil.rmtree(making, ignore_errors=True)
    await run_git(None, "init", "--quiet", "--bare", "--initial-branch=main", str(making))
    await run_git(making, "fast-import", "--quiet", stdin=_history(conflict, race))
    if race:
        await _arm_race(making)
    _configure(making)
    making.rename(path)
    return GitRemote(path)


def _history(conflict: bool, race: bool) -> bytes:
    main = [*main_commits()]
    stream = fast_import_stream("main", main)
    for branch in ("staging", "devtest"):
        stream += fast_import_stream(branch, release_commits(), parent="refs/heads/main")
    if conflict:
        # The stream's own main is gone on with; naming it as the parent would be refused.
        stream += fast_import_stream("main", [conflicting_commit()])
    if race:
        stream += fast_import_stream("race", [innocuous_commit()], parent="refs/heads/main")
    return stream


async def _arm_race(repository: Path) -> None:
    first = (await run_git(repository, "rev-parse", "refs/heads/race")).decode()
    await run_git(repository, "update-ref", "-d", "refs/heads/race")
    (repository / "race.armed").write_text(first)


def _configure(repository: Path) -> None:
    with (repository / "config").open("a") as config:
        config.write("[receive]\n\tdenyNonFastForwards = true\n\tdenyDeletes = true\n\tautogc = false\n")
        config.write("[gc]\n\tauto = 0\n[uploadpack]\n\tallowAnySHA1InWant = true\n")
    for name, script in (("post-receive", _POST_RECEIVE), ("update", _UPDATE)):
        hook = repository / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(script)
        hook.chmod(hook.stat().st_mode | stat.S_IXUSR)


def _unpack(archive: bytes, destination: Path) -> None:
    destination.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(destination, filter="data")


def _parse_push(line: bytes) -> Push:
    fields: dict[str, str] = json.loads(line)
    at = datetime.fromisoformat(fields["at"].replace("Z", "+00:00"))
    return Push(fields["old"], fields["new"], fields["ref"], at, fields["by"])
