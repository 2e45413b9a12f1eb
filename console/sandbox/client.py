"""How the console brings a world up, finds it again, and ends it; the world itself is the supervisor's.

What always holds: a world is owned by at most one supervisor; every call is bounded in time, and an error
says what failed, the end of the supervisor's log, and what to do.
"""

import asyncio
import fcntl
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import httpx

from console.errors import SandboxError
from console.sandbox.state_files import ENDED, LOCK, LOG, PROGRESS, WorldInfo, read_world_info
from console.sandbox.waiting import wait_until
from console.sandbox.world_spec import load_spec, new_spec

START_TIMEOUT_S = 180.0
_CONTROL_TIMEOUT_S = 30.0
_DOWN_TIMEOUT_S = 60.0
_POLL_S = 0.05
_TAIL_LINES = 12
_INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")
_PACKAGES = Path(__file__).parents[2]

Say = Callable[[str], None]


class WorldHandle:
    """A running world, as its client sees it."""

    def __init__(self, info: WorldInfo) -> None:
        self.info = info

    def endpoints(self) -> dict[str, object]:
        """What `sandbox up --json` prints."""
        return {
            "render_url": self.info.render_url,
            "render_token": self.info.render_token,
            "owner_id": self.info.owner_id,
            "services": list(self.info.services),
            "postgres_id": self.info.postgres_id,
            "database_url": self.info.database_url,
            "git_remote": self.info.git_remote,
            "overlay": self.info.overlay,
            "state_dir": self.info.state_dir,
        }

    async def world(self) -> dict[str, object]:
        """What happened in the world, read by the supervisor from its servers. Raises `SandboxError`."""
        return cast(dict[str, object], (await self._call("GET", "/world")).json())

    async def touch(self) -> None:
        """Keep the world alive for another half hour. Raises `SandboxError`."""
        await self._call("POST", "/touch")

    async def down(self) -> None:
        """End the world: processes, servers, their data. Returns when they are gone. Raises `SandboxError`."""
        await self._call("POST", "/down")
        state_dir = Path(self.info.state_dir)
        try:
            await wait_until(lambda: not is_owned(state_dir) and _has_ended(self.info.pid), _DOWN_TIMEOUT_S)
        except TimeoutError as late:
            raise _failure(state_dir, f"The world did not end within {_DOWN_TIMEOUT_S:.0f} s.") from late

    async def _call(self, method: str, path: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.info.control_token}"}
        try:
            async with httpx.AsyncClient(timeout=_CONTROL_TIMEOUT_S, trust_env=False) as client:
                answer = await client.request(method, f"{self.info.control_url}{path}", headers=headers)
        except httpx.HTTPError as error:
            what = f"The rehearsal's world does not answer ({type(error).__name__})."
            raise _failure(Path(self.info.state_dir), what) from error
        if answer.is_error:
            raise _failure(Path(self.info.state_dir), f"The rehearsal's world answered {answer.status_code}.")
        return answer


async def up(
    state_dir: Path,
    *,
    faults: Sequence[str] = (),
    pace: float = 1.0,
    accounts: int = 449,
    plan: Path | None = None,
    shared: bool = False,
    say: Say | None = None,
) -> WorldHandle:
    """Make a new world in `state_dir` and wait until it can be used; `say` hears what is being done.

    `shared`: with a server for a shared record, which is not set up yet.

    Raises `ConfigError` for an order that makes no sense, `SandboxError` when the world does not come up.
    """
    state_dir = _absolute(state_dir)
    spec = new_spec(faults=faults, pace=pace, accounts=accounts, plan=plan, shared=shared)
    if load_spec(state_dir) is not None:
        raise SandboxError(f"{state_dir} holds a world already.", remedy="Resume that one, or take another folder.")
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    spec.save(state_dir)
    return await _start(state_dir, say)


async def attach(state_dir: Path, *, say: Say | None = None) -> WorldHandle:
    """The world in `state_dir`: the running one, or else started again from where it stood.

    Raises `SandboxError` when there was none, or it was ended, or it does not come up again.
    """
    state_dir = _absolute(state_dir)
    if load_spec(state_dir) is None:
        raise SandboxError(f"There is no world in {state_dir}.", remedy="Start a new rehearsal.")
    if (state_dir / ENDED).exists():
        raise SandboxError(f"The world in {state_dir} was ended.", remedy="Start a new rehearsal.")
    if is_owned(state_dir):
        info = await _await_info(state_dir, None, say)
        handle = WorldHandle(info)
        await handle.touch()
        return handle
    return await _start(state_dir, say)


def is_owned(state_dir: Path) -> bool:
    """Whether a supervisor works in `state_dir` now."""
    lock_file = state_dir / LOCK
    if not lock_file.exists():
        return False
    with lock_file.open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


async def _start(state_dir: Path, say: Say | None) -> WorldHandle:
    (state_dir / PROGRESS).unlink(missing_ok=True)
    return WorldHandle(await _await_info(state_dir, _spawn(state_dir), say))


def _spawn(state_dir: Path) -> int:
    """Start a supervisor that outlives this process; its process id."""
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    environment |= {"PYTHONPATH": str(_PACKAGES), "PYTHONUNBUFFERED": "1"}
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "console.sandbox.supervisor", str(state_dir)],
        environment,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(state_dir / LOG), flags, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
    )


async def _await_info(state_dir: Path, spawned: int | None, say: Say | None) -> WorldInfo:
    """Wait until the world can be used; `spawned` is the supervisor that this process started, if it did."""
    told = 0
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            while True:
                lines = _progress(state_dir)
                for kind, text in lines[told:]:
                    if kind == "failed":
                        raise _failure(state_dir, f"The rehearsal's world did not come up: {text}", tail=0)
                    if kind == "doing" and say is not None:
                        say(text)
                told = len(lines)
                if lines and lines[-1][0] == "ready" and (info := read_world_info(state_dir)) is not None:
                    return info
                ended = not is_owned(state_dir) if spawned is None else _has_ended(spawned)
                if ended:
                    raise _failure(state_dir, "The rehearsal's world ended while it came up.")
                await asyncio.sleep(_POLL_S)
    except TimeoutError as late:
        raise _failure(state_dir, f"The rehearsal's world was not up within {START_TIMEOUT_S:.0f} s.") from late


def _absolute(path: Path) -> Path:
    return path.resolve()


def _progress(state_dir: Path) -> list[tuple[str, str]]:
    """What the supervisor has told of its start so far; a line still being written is left for later."""
    file = state_dir / PROGRESS
    if not file.exists():
        return []
    whole = file.read_text().rpartition("\n")[0]
    return [(kind, text) for _, kind, text in map(json.loads, whole.splitlines())]


def _has_ended(pid: int) -> bool:
    """Whether the supervisor is gone; one that this process started is also collected."""
    try:
        ended, _ = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return not _exists(pid)
    return ended != 0


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _failure(state_dir: Path, what: str, *, tail: int = _TAIL_LINES) -> SandboxError:
    """What failed, with the last `tail` lines of the supervisor's log where it has not said itself why."""
    log = state_dir / LOG
    last = log.read_text(errors="replace").splitlines()[-tail:] if tail and log.exists() else []
    message = "\n".join([what, *(f"  {line}" for line in last)])
    return SandboxError(
        message,
        production="Production is not concerned: this was a rehearsal.",
        remedy=f"The whole log is {log}. Start a new rehearsal; if it fails again, look there.",
    )
