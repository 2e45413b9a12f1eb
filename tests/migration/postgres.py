"""A real PostgreSQL for the tests of this room, reached through the console's own adapter."""

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import psycopg

from console.adapters.database.database import PostgresDatabase
from console.adapters.database.session import PostgresSession
from console.engine.clock import WallClock
from console.errors import DatabaseError
from console.ports import Row
from console.sandbox.loopback import free_port
from console.sandbox.postgres_tools import PostgresTools, find_tools
from console.secrets import Secret

CRM = Path(__file__).parents[2] / "console/sandbox/crm"
MIGRATION_FILE = CRM / "release/database/migrations/020_consolidate_account_status.sql"
PATH = "database/migrations/020_consolidate_account_status.sql"
OLD_MIGRATIONS = sorted((CRM / "main/database/migrations").glob("*.sql"))

# Every branch of the mapping, NULL, a value that no rule knows, deleted ones, trials with an active licence.
ACCOUNTS = """
INSERT INTO organisations (name) VALUES ('Acme');
INSERT INTO users (organisation_id, email, full_name) VALUES (1, 'ann@example.com', 'Ann');
INSERT INTO accounts (reference, organisation_id, owner_id, name, license_status, account_type, is_trial, deleted_at)
SELECT 'A' || n, 1, 1, 'Account ' || n,
       (ARRAY['active', 'pending', 'expired', 'suspended', 'cancelled', 'Active', '', NULL])[1 + n % 8],
       (ARRAY['standard', 'enterprise', 'trial'])[1 + n % 3],
       CASE WHEN n % 11 = 0 THEN NULL ELSE n % 5 = 0 END,
       CASE WHEN n % 7 = 0 THEN now() END
FROM generate_series(1, {accounts}) AS n;
"""


class Server:
    """A PostgreSQL 18 on a loopback port, made from the wheel's programs, gone with `stop`."""

    def __init__(self) -> None:
        self.tools: PostgresTools = find_tools()
        self.home = Path(tempfile.mkdtemp(prefix="rc-migration-tests-", dir="/tmp"))
        self.home.chmod(0o755)
        self.data = self.home / "data"
        self.tools.new_folder(self.data)
        self.port = free_port()
        self._made = 0

    def start(self) -> None:
        settings = {"fsync": "off", "listen_addresses": "127.0.0.1", "unix_socket_directories": "''"}
        settings |= {"max_connections": "50", "shared_buffers": "64MB", "deadlock_timeout": "100ms"}
        self._run("initdb", "-D", str(self.data), "-U", "postgres", "-A", "trust", "--no-sync", "--locale=C", "-EUTF8")
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        log = str(self.data / "log")
        self._run("pg_ctl", "-D", str(self.data), "-w", "-l", log, "-o", f"-p {self.port} {options}", "start")
        self.command("postgres", "CREATE DATABASE crm")
        for path in OLD_MIGRATIONS:
            self.command("crm", path.read_text())
        for path in OLD_MIGRATIONS:
            self.command("crm", f"INSERT INTO schema_migrations VALUES ({int(path.name[:3])}, '{path.name}', 'x')")
        self.command("crm", ACCOUNTS.format(accounts=449))

    def stop(self) -> None:
        self._run("pg_ctl", "-D", str(self.data), "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.home)

    def restart(self) -> None:
        """Start anew, with what was set meanwhile."""
        self._run("pg_ctl", "-D", str(self.data), "-m", "fast", "-w", "-l", str(self.data / "log"), "restart")

    def new_database(self, template: str = "crm") -> str:
        """A copy of a template database; its name."""
        self._made += 1
        name = f"test_{self._made}"
        self.command("postgres", f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        return name

    def drop(self, database: str) -> None:
        self.command("postgres", f"DROP DATABASE {database} WITH (FORCE)")

    def command(self, database: str, text: str) -> None:
        with psycopg.connect(self.url(database), autocommit=True) as link:
            link.execute(text.encode())

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}?connect_timeout=10"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.tools.bin / program), *arguments],
            capture_output=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            timeout=60,
            check=False,
            **self.tools.identity(),
        )
        assert done.returncode == 0, f"{program} ended with {done.returncode}"


class WatchedSession:
    """A session of the console's own adapter; `interferences` hear of each statement before it is sent."""

    def __init__(self, session: PostgresSession, interferences: "list[Interference]") -> None:
        self._session = session
        self._interferences = interferences

    @property
    def pid(self) -> int:
        return self._session.pid

    async def fetch(self, sql: str, params: Mapping[str, object] | None = None) -> list[Row]:
        await self._tell(sql)
        return await self._session.fetch(sql, params)

    async def execute(self, sql: str, params: Mapping[str, object] | None = None) -> int:
        await self._tell(sql)
        return await self._session.execute(sql, params)

    async def notices(self) -> tuple[str, ...]:
        return await self._session.notices()

    async def _tell(self, sql: str) -> None:
        for interference in self._interferences:
            await interference(sql)


class AnswerLost(WatchedSession):
    """The connection goes after the server has carried out COMMIT, and before its answer arrives."""

    async def execute(self, sql: str, params: Mapping[str, object] | None = None) -> int:
        touched = await super().execute(sql, params)
        if sql == "COMMIT":
            raise DatabaseError("The session with the database broke off.")
        return touched


class Interference:
    """Does something to the world once, just before the first statement that begins with `prefix` is sent."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.fired = False

    async def __call__(self, statement: str) -> None:
        if not self.fired and statement.startswith(self.prefix):
            self.fired = True
            await self.interfere()

    async def interfere(self) -> None:
        raise NotImplementedError


class LiveDatabase(PostgresDatabase):
    """A database of the test server through the console's own adapter."""

    def __init__(self, server: Server, name: str) -> None:
        super().__init__(Secret(server.url(name), "the test"), WallClock(), tls="disable")

    async def run(self, *statements: str) -> None:
        """Arrange something."""
        async with self.session("rc/arranging") as session:
            for statement in statements:
                await session.execute(statement)

    async def value(self, query: str) -> object:
        """The one value of a query."""
        return next(iter((await self.fetch(query))[0].values()))

    async def until(self, query: str, *, seconds: float = 30.0) -> None:
        """Wait until a query's one value is true: the server, not the clock, says when."""
        async with asyncio.timeout(seconds):
            while not await self.value(query):  # noqa: ASYNC110 - the server has no event to wait for
                await asyncio.sleep(0.02)
