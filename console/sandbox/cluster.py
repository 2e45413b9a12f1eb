"""One PostgreSQL server of the sandbox: its making, start, stop and base backup.

The server is a process of its own that outlives its starter; a later start on the same folder adopts it.
`fsync` is off: a crash of the machine may cost the rehearsal's data, a crash of a process does not.
"""

import asyncio
import os
import signal
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.conninfo import make_conninfo

from console.sandbox.postgres_tools import PostgresFailed, PostgresTools
from console.sandbox.postmaster import Postmaster
from console.sandbox.waiting import wait_until

SUPERUSER = "postgres"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0
_POLL_S = 0.02

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "32MB",
    "max_connections": "80",
    "fsync": "off",
    "wal_level": "replica",
    "archive_mode": "on",
    "archive_command": "/bin/true",
    "max_wal_size": "256MB",
    "max_wal_senders": "4",
    "log_line_prefix": "%m [%p] %a ",
    "log_lock_waits": "on",
    "password_encryption": "scram-sha-256",
}


class Cluster:
    """A server in `home` (folders `data`, `archive` and `base`, file `server.log`) that listens on `port`."""

    def __init__(self, tools: PostgresTools, home: Path, port: int, superuser_password: str) -> None:
        self.tools = tools
        self.home = home
        self.port = port
        self.superuser_password = superuser_password
        self.postmaster = Postmaster(self.data)
        self._process: asyncio.subprocess.Process | None = None

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory."""
        return self.home / "data"

    @property
    def archive(self) -> Path:
        """Where finished WAL segments go."""
        return self.home / "archive"

    @property
    def base(self) -> Path:
        """The base backup, once taken."""
        return self.home / "base"

    def superuser_conninfo(self, database: str = "postgres") -> str:
        """The superuser's connection string."""
        return make_conninfo(
            host="127.0.0.1",
            port=self.port,
            dbname=database,
            user=SUPERUSER,
            password=self.superuser_password,
            connect_timeout=10,
        )

    def superuser_url(self, database: str) -> str:
        """The superuser's address, as an URL."""
        return f"postgresql://{SUPERUSER}:{quote(self.superuser_password)}@127.0.0.1:{self.port}/{database}"

    def make_home(self) -> None:
        """Make the server's new folder and the one for its archive."""
        self.tools.new_folder(self.home)
        self.tools.new_folder(self.archive)

    async def create(self) -> None:
        """Make a new, empty server that is not started yet. Settings are in place, archiving is not."""
        self.make_home()
        password_file = self.home / "password"
        password_file.write_text(self.superuser_password)
        self.tools.give(password_file)
        arguments = [f"--pgdata={self.data}", f"--username={SUPERUSER}", f"--pwfile={password_file}"]
        arguments += ["--auth=scram-sha-256", "--locale=C", "--encoding=UTF8", "--wal-segsize=1", "--no-sync"]
        for name, value in _SETTINGS.items():
            arguments += ["--set", f"{name}={value}"]
        try:
            await self.tools.run("initdb", *arguments)
        finally:
            password_file.unlink()

    async def start(self) -> None:
        """Start the server, or adopt it when it runs; returns when it takes connections and has recovered.

        Raises `PostgresFailed` with the end of the server's log.
        """
        if self.postmaster.is_gone():
            self.postmaster.forget()
            await self._spawn()
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await self._until_writable()
        except TimeoutError as late:
            raise PostgresFailed(
                f"PostgreSQL on port {self.port} was not ready within {START_TIMEOUT_S:.0f} s:\n{self.log_tail(800)}"
            ) from late

    async def stop(self) -> None:
        """Stop the server: sessions are ended, transactions rolled back, the last WAL archived."""
        pid = self.postmaster.pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGINT)
        try:
            await wait_until(self.postmaster.is_gone, STOP_TIMEOUT_S)
        except TimeoutError:
            os.kill(pid, signal.SIGQUIT)
            await wait_until(self.postmaster.is_gone, STOP_TIMEOUT_S)

    async def start_archiving(self) -> None:
        """From now on copy every finished WAL segment to `archive`, and take the base backup."""
        command = f'cp "%p" "{self.archive}/%f.part" && mv "{self.archive}/%f.part" "{self.archive}/%f"'
        async with await psycopg.AsyncConnection.connect(self.superuser_conninfo(), autocommit=True) as link:
            await link.execute(f"ALTER SYSTEM SET archive_command = '{command}'")
            await link.execute("SELECT pg_reload_conf()")
        arguments = [f"--pgdata={self.base}", "--checkpoint=fast", "--no-sync", "--wal-method=stream"]
        arguments += ["--host=127.0.0.1", f"--port={self.port}", f"--username={SUPERUSER}", "--no-password"]
        await self.tools.run("pg_basebackup", *arguments, password=self.superuser_password)

    def log_tail(self, size: int = 4000) -> str:
        """The end of the server's log."""
        log = self.home / "server.log"
        return log.read_bytes()[-size:].decode(errors="replace") if log.exists() else ""

    async def _spawn(self) -> None:
        # A session of its own: the server must not hear the terminal's signals, nor end with its starter.
        with (self.home / "server.log").open("ab") as log:
            self.tools.give(self.home / "server.log")
            self._process = await asyncio.create_subprocess_exec(
                str(self.tools.bin / "postgres"),
                *("-D", str(self.data), "-p", str(self.port)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                cwd="/",
                start_new_session=True,
                **self.tools.identity(),
            )

    async def _until_writable(self) -> None:
        while not (self.postmaster.says_ready() and await self._accepts_writes()):
            if self._process is not None and self._process.returncode is not None:
                raise PostgresFailed(f"PostgreSQL on port {self.port} ended while starting:\n{self.log_tail(800)}")
            await asyncio.sleep(_POLL_S)

    async def _accepts_writes(self) -> bool:
        try:
            async with await psycopg.AsyncConnection.connect(self.superuser_conninfo(), autocommit=True) as link:
                row = await (await link.execute("SELECT pg_is_in_recovery()")).fetchone()
        except psycopg.OperationalError:
            return False  # it does not listen yet, or it ended just now; the caller looks which
        return row is not None and not row[0]
