"""A private, throw-away PostgreSQL server: in a folder of its own, on a socket that nobody else can reach.

It ends with the block that started it, also when that is cancelled. What a killed console left running is found
by its folder's name and ended before the next one starts.
"""

import asyncio
import contextlib
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from console.adapters.database.database import PostgresDatabase
from console.adapters.scratch.programs import ProgramFailed, Programs, Runner, end, open_to_all
from console.errors import DatabaseError, StepFailed
from console.ports import Clock
from console.secrets import Secret

PREFIX = "rc-scratch-"
SUPERUSER = "postgres"
_INIT_S = 120.0
_START_S = 60.0
_STOP_S = 15.0
_POLL_S = 0.05
_LOG_TAIL = 2_000
# A socket's whole name may have 103 characters: this, the folder's own and the socket's.
_LONGEST_BASE = 60

# Nothing here outlives the machine's next start, so nothing is written twice or synced.
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "autovacuum": "off",
    "max_connections": "40",
    "shared_buffers": "64MB",
    "maintenance_work_mem": "128MB",
    "log_statement": "none",
    "log_min_messages": "warning",
    "password_encryption": "scram-sha-256",
}


@dataclass(frozen=True, slots=True)
class Running:
    """A running server: how it is reached. The password is a secret."""

    socket: Path
    password: Secret

    def url(self, database: str) -> Secret:
        """The connection string of one of its databases."""
        address = f"postgresql://{SUPERUSER}:{self.password.reveal()}@/{quote(database)}?host={quote(str(self.socket))}"
        return Secret(address, "the scratch server")


@asynccontextmanager
async def scratch_folder(runner: Runner) -> AsyncIterator[Path]:
    """A folder of mode 0700 that belongs to the programs' user, gone on the way out with everything in it."""
    base = await asyncio.to_thread(_base, runner)
    await asyncio.to_thread(_sweep, base)
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=base))
    try:
        runner.give(folder)
        yield folder
    finally:
        # Shielded: a second cancellation must not leave a backup's rows lying in a temporary folder.
        await asyncio.shield(asyncio.create_task(asyncio.to_thread(shutil.rmtree, folder, True)))


@asynccontextmanager
async def private_server(programs: Programs, runner: Runner, folder: Path, clock: Clock) -> AsyncIterator[Running]:
    """Make and start a server in `folder`; stopped on the way out. Raises StepFailed with its own words."""
    password = Secret(secrets.token_urlsafe(24), "the scratch server")
    data = folder / "data"
    await _init(programs, runner, folder, data, password)
    log = folder / "server.log"
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        settings = {**_SETTINGS, "unix_socket_directories": str(folder)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        process = await runner.start(
            programs.bin / "postgres", "-D", str(data), *options, environment={}, stdout=descriptor, stderr=descriptor
        )
    finally:
        os.close(descriptor)
    try:
        running = Running(folder, password)
        await _until_ready(running, process, log, clock)
        yield running
    finally:
        await asyncio.shield(asyncio.create_task(_stop(process)))


async def _init(programs: Programs, runner: Runner, folder: Path, data: Path, password: Secret) -> None:
    file = folder / "password"
    file.touch(mode=0o600)
    file.write_text(password.reveal())
    runner.give(file)
    arguments = [f"--pgdata={data}", f"--username={SUPERUSER}", f"--pwfile={file}", "--auth=scram-sha-256"]
    arguments += ["--encoding=UTF8", "--locale=C", "--no-sync"]
    try:
        await runner.run(programs.bin / "initdb", *arguments, timeout=_INIT_S)
    except (ProgramFailed, OSError) as failed:
        raise _not_started(str(failed)) from failed
    finally:
        file.unlink()


async def _until_ready(running: Running, process: asyncio.subprocess.Process, log: Path, clock: Clock) -> None:
    database = PostgresDatabase(running.url("postgres"), clock, tls="disable")
    last = ""
    try:
        async with asyncio.timeout(_START_S):
            while process.returncode is None:
                try:
                    await database.fetch("SELECT 1")
                    return
                except DatabaseError as not_yet:
                    last = not_yet.message
                await clock.sleep(_POLL_S)
    except TimeoutError:
        raise _not_started(f"it was not ready within {_START_S:.0f} s: {last}") from None
    words = await asyncio.to_thread(log.read_text, errors="replace")
    raise _not_started(words[-_LOG_TAIL:])


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Gently first; the whole group if that is not enough."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_STOP_S):
                await process.wait()
    await end(process)


def _base(runner: Runner) -> Path:
    """The folder for temporary files, if a socket's name fits behind it and the programs' user may enter it."""
    usual = Path(tempfile.gettempdir())
    fits = len(str(usual)) <= _LONGEST_BASE and (runner.user is None or open_to_all(usual))
    return usual if fits else Path("/tmp")  # noqa: S108 - what lies in it is made by mkdtemp


def _sweep(base: Path) -> None:
    """End what consoles that are gone have left: the server by its pid file, then its folder."""
    for folder in base.glob(f"{PREFIX}*"):
        owner = folder.name.removeprefix(PREFIX).partition("-")[0]
        if not owner.isdigit() or _alive(int(owner)) or not _ours(folder):
            continue
        with contextlib.suppress(FileNotFoundError, ValueError, ProcessLookupError, PermissionError):
            pid = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])
            if Path(f"/proc/{pid}/cwd").resolve() == (folder / "data").resolve():
                os.kill(pid, signal.SIGQUIT)
        shutil.rmtree(folder, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _ours(folder: Path) -> bool:
    return os.geteuid() in (0, folder.lstat().st_uid) and folder.is_dir() and not folder.is_symlink()


def _not_started(words: str) -> StepFailed:
    return StepFailed(
        f"The scratch server did not start: {words.strip()}",
        production="Production is unchanged.",
        remedy="Free memory and disk here, or name another server in the plan ([database] scratch_url); then retry.",
    )
