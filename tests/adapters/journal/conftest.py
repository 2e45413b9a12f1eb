"""What the tests of the shared record in PostgreSQL share: a store with people in it, and what they do with it."""

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio

from console.adapters.database.database import PostgresDatabase
from console.adapters.journal.driver import PostgresDriverStore
from console.adapters.journal.observer import PostgresObserverStore
from console.adapters.journal.schema import install
from console.adapters.journal.signer import PostgresSignerStore
from console.adapters.scratch.server import Running
from console.domain.events import Event, Kind
from console.domain.shared import Lease
from console.domain.wire import GENESIS, encode_event, line_digest
from console.engine.clock import WallClock
from console.sandbox.cluster import Cluster
from console.sandbox.loopback import free_port
from console.sandbox.postgres_tools import data_folder, find_tools
from console.secrets import Secret

RUN = "20260204-201403-aa"
SINCE = datetime(2026, 2, 4, 20, 14, 3, 118000, UTC)
PASSWORD = "a-word-for-tests"
PEOPLE = {
    "alice": "release_console_driver",
    "bob": "release_console_driver",
    "eve": "release_console_observer",
    "quinn": "release_console_signer",
    "sam": "release_console_signer",
    "mallory": "",
}
"""Logins of the store, and what they are members of."""


KEPT = ("runs", "epochs", "events", "tail", "branches", "inbox", "answers")
END_OTHERS = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


def driver(actor: str = "alice@laptop", *, pid: int = 41, since: datetime = SINCE) -> Lease:
    """Who claims an epoch."""
    return Lease(0, actor, actor.partition("@")[2], pid, since)


def chain(amount: int, *, text: str = "going", prev: str = GENESIS, first: int = 1) -> list[bytes]:
    """Lines of a journal, each bound to the one before."""
    lines: list[bytes] = []
    for seq in range(first, first + amount):
        event = Event(seq, SINCE, RUN, "alice@laptop", Kind.NOTE_ADDED, None, {"text": f"{text} {seq} · ✓"})
        lines.append(encode_event(event, line_digest(lines[-1]) if lines else prev))
    return lines


class Store:
    """A store of its own for a test: its people's connection strings, and clients that are closed with it."""

    def __init__(self, server: Running, database: str, closing: AsyncExitStack) -> None:
        self.server = server
        self.database = database
        self.owner = server.url(database)
        self._closing = closing

    def url(self, login: str) -> Secret:
        """How somebody reaches the store."""
        place = quote(str(self.server.socket))
        return Secret(f"postgresql://{login}:{PASSWORD}@/{self.database}?host={place}", "JOURNAL_URL")

    def driver(self, login: str = "alice", *, url: Secret | None = None, seconds: float = 5.0) -> PostgresDriverStore:
        """A driver's client."""
        made = PostgresDriverStore(url or self.url(login), tls="disable", seconds=seconds)
        self._closing.push_async_callback(made.close)
        return made

    def observer(
        self, login: str = "eve", *, person: str = "eve@desk", url: Secret | None = None, seconds: float = 5.0
    ) -> PostgresObserverStore:
        """An observer's client."""
        made = PostgresObserverStore(url or self.url(login), tls="disable", person=person, seconds=seconds)
        self._closing.push_async_callback(made.close)
        return made

    def signer(self, login: str = "quinn") -> PostgresSignerStore:
        """A signer's client."""
        made = PostgresSignerStore(self.url(login), tls="disable")
        self._closing.push_async_callback(made.close)
        return made

    def as_somebody(self, login: str) -> PostgresDatabase:
        """The database as a login sees it without the console's client."""
        return PostgresDatabase(self.url(login), WallClock(), tls="disable")

    @property
    def admin(self) -> PostgresDatabase:
        """The database as its superuser sees it."""
        return PostgresDatabase(self.owner, WallClock(), tls="disable")


async def people(server: Running, clock: WallClock) -> None:
    """Have the logins. They are the whole server's, so they are made once."""
    async with PostgresDatabase(server.url("postgres"), clock, tls="disable").session("tests") as session:
        for login, role in PEOPLE.items():
            found = await session.fetch("SELECT 1 FROM pg_roles WHERE rolname = %(login)s", {"login": login})
            if not found:
                await session.execute(f"CREATE ROLE {login} LOGIN PASSWORD '{PASSWORD}'")
                if role:
                    await session.execute(f"GRANT {role} TO {login}")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def set_up(server: Running) -> str:
    """A database with a store in it and its people, for all tests in turn; its name."""
    clock = WallClock()
    async with PostgresDatabase(server.url("postgres"), clock, tls="disable").session("tests") as session:
        await session.execute("CREATE DATABASE record")
    await install(server.url("record"), tls="disable")
    await people(server, clock)
    return "record"


@pytest.fixture
async def store(server: Running, set_up: str) -> AsyncIterator[Store]:
    """A store that is empty. It is set up once: a test leaves its schema as it was."""
    async with AsyncExitStack() as closing:
        made = Store(server, set_up, closing)
        async with made.admin.session("tests") as session:
            await session.fetch(END_OTHERS)
            await session.execute(f"TRUNCATE {', '.join(f'release_console.{each}' for each in KEPT)} RESTART IDENTITY")
        yield made


@pytest.fixture
async def own_store(server: Running, database_url: Secret, clock: WallClock) -> AsyncIterator[Store]:
    """A store in a database of its own, whose schema a test may change."""
    await install(database_url, tls="disable")
    await people(server, clock)
    async with AsyncExitStack() as closing:
        yield Store(server, database_url.reveal().partition("@/")[2].partition("?")[0], closing)


@pytest.fixture
async def alice(store: Store) -> PostgresDriverStore:
    """A driver in the first epoch of the run."""
    made = store.driver()
    await made.create(RUN, json.dumps({"name": "plan"}))
    assert await made.claim(RUN, driver(), expected=0) == 1
    return made


@pytest.fixture
async def own_server(tmp_path: Path) -> AsyncIterator[Cluster]:
    """A server of the test's own, which it may stop. Its superuser's password is that of everybody here."""
    tools = find_tools()
    folder = data_folder(tools, tmp_path)
    cluster = Cluster(tools, folder / "store", free_port(), PASSWORD)
    try:
        await cluster.create()
        await cluster.start()
        yield cluster
    finally:
        await cluster.stop()
        shutil.rmtree(folder)


def reached(cluster: Cluster, login: str = "postgres", database: str = "postgres") -> Secret:
    """How somebody reaches a database of a server of one's own."""
    return Secret(f"postgresql://{login}:{PASSWORD}@127.0.0.1:{cluster.port}/{database}", "JOURNAL_URL")
