"""What the adapters' tests share: clocks, a real PostgreSQL, and a client whose requests are held to the contract."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from itertools import count

import httpx
import pytest
import pytest_asyncio

from console.adapters.database.database import PostgresDatabase
from console.adapters.render import Patience, RenderClient
from console.adapters.scratch.programs import Programs, Runner, embedded_bin
from console.adapters.scratch.server import Running, private_server, scratch_folder
from console.domain.outcome import Progress
from console.engine.clock import WallClock
from console.secrets import Secret
from tests.openapi_contract import Contract

TOKEN = "rnd_0123456789secret"
OWNER = "tea-crm00000000000000000"
API = "https://api.provider.test/v1"


class JumpClock:
    """A clock that waits by jumping; `slept` remembers how long."""

    pace = 1.0

    def __init__(self) -> None:
        self._now = datetime(2026, 2, 4, 20, 0, tzinfo=UTC)
        self._seconds = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self._now + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return self._seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._seconds += seconds
        await asyncio.sleep(0)

    async def pause(self, planned: float, *, minimum: float = 0.0) -> None:
        await self.sleep(max(planned, minimum))


class Reports:
    """Remembers what was reported."""

    def __init__(self) -> None:
        self.heard: list[Progress] = []

    async def __call__(self, progress: Progress) -> None:
        self.heard.append(progress)


class HeldToContract(httpx.AsyncBaseTransport):
    """Checks every request against the provider's API description before passing it on."""

    def __init__(self, contract: Contract, inner: httpx.AsyncBaseTransport) -> None:
        self._contract = contract
        self._inner = inner
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        body = json.loads(request.content) if request.content else None
        self._contract.check_request(request.method, request.url.path, request.url.query.decode(), body)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


@pytest.fixture
def clock() -> WallClock:
    return WallClock()


@pytest.fixture
def jump() -> JumpClock:
    return JumpClock()


@pytest.fixture
def reports() -> Reports:
    return Reports()


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract.load()


Answer = Callable[[httpx.Request], httpx.Response]
Connect = Callable[[Answer], tuple[RenderClient, HeldToContract]]


@pytest.fixture
async def connect(contract: Contract, jump: JumpClock) -> AsyncIterator[Connect]:
    """Makes clients whose requests are answered by a function."""
    clients: list[RenderClient] = []

    def make(answer: Answer) -> tuple[RenderClient, HeldToContract]:
        transport = HeldToContract(contract, httpx.MockTransport(answer))
        client = RenderClient(
            API, Secret(TOKEN, "RENDER_API_KEY"), OWNER, jump, patience=Patience(), transport=transport
        )
        clients.append(client)
        return client, transport

    yield make
    for client in clients:
        await client.aclose()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server() -> AsyncIterator[Running]:
    """A real PostgreSQL 18, from the embedded programs, for the whole session."""
    place = embedded_bin()
    assert place is not None
    runner = Runner.choose()
    async with (
        scratch_folder(runner) as folder,
        private_server(Programs(place, "18", True), runner, folder, WallClock()) as running,
    ):
        yield running


_numbers = count(1)


@pytest.fixture
async def database_url(server: Running, clock: WallClock) -> AsyncIterator[Secret]:
    """An empty database of its own for a test."""
    name = f"test_{next(_numbers)}"
    admin = PostgresDatabase(server.url("postgres"), clock, tls="disable")
    async with admin.session("tests") as session:
        await session.execute(f"CREATE DATABASE {name}")
    yield server.url(name)
    async with admin.session("tests") as session:
        await session.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(database_url: Secret, clock: WallClock) -> PostgresDatabase:
    return PostgresDatabase(database_url, clock, tls="disable")
