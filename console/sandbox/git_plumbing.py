"""Git as the sandbox runs it: plumbing commands in a clean environment, bounded in time.

Nothing of the machine's or the person's git configuration has a say, so the same input makes the same bytes.
"""

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

from console.errors import SandboxError
from console.sandbox.release import Commit

GIT_TIMEOUT_S = 30.0


class GitFailed(SandboxError):
    """A git command of the sandbox ended with an error, or not in time."""


def clean_environment() -> dict[str, str]:
    """The environment for git: a search path and nothing of the person's own settings."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
    }


async def run_git(repository: Path | None, *arguments: str, stdin: bytes = b"") -> bytes:
    """Run git in the bare `repository` (None: in none) and return its output.

    Raises `GitFailed` with git's own words, also when git is not installed or takes longer than 30 s.
    """
    where = () if repository is None else (f"--git-dir={repository}",)
    try:
        process = await asyncio.create_subprocess_exec(
            "git",
            *where,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=clean_environment(),
        )
    except FileNotFoundError as missing:
        raise GitFailed("git is not installed: the sandbox needs it for its remote") from missing
    try:
        out, err = await asyncio.wait_for(process.communicate(stdin), GIT_TIMEOUT_S)
    except TimeoutError as late:
        process.kill()
        await process.wait()
        raise GitFailed(f"git {arguments[0]} took longer than {GIT_TIMEOUT_S:.0f} s") from late
    if process.returncode != 0:
        raise GitFailed(f"git {arguments[0]}: {err.decode(errors='replace').strip() or process.returncode}")
    return out


def fast_import_stream(branch: str, commits: Iterable[Commit], *, parent: str | None = None) -> bytes:
    """The input for `git fast-import` that makes `commits` on `branch`, from `parent` where one is named."""
    parts: list[bytes] = []
    for commit in commits:
        message = commit.message.encode()
        stamp = commit.author.stamp(commit.at)
        parts.append(b"commit refs/heads/%b\n" % branch.encode())
        parts.append(b"author %b\ncommitter %b\n" % (stamp, stamp))
        parts.append(b"data %d\n%b\n" % (len(message), message))
        if parent is not None:
            parts.append(b"from %b\n" % parent.encode())
            parent = None
        for path, content in sorted(commit.files.items()):
            parts.append(b"M 100644 inline %b\ndata %d\n%b\n" % (path.encode(), len(content), content))
        parts.append(b"\n")
    return b"".join(parts)
