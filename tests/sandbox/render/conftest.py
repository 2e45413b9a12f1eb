"""A world for each test: a stand-in on free ports, a client with its token, ways to wait without sleeping."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from console.sandbox.contracts import Pace
from console.sandbox.loopback import free_port
from console.sandbox.render import BuildFilter, PostgresSeed, RenderStandIn, ServiceSeed, WorldSeed
from tests.sandbox.render.fakes import FakeApps, FakeDatabases, FakeFaults, FakeSource

BACKEND = "srv-backendproduction000"
FRONTEND = "srv-frontendproductio000"
STAGING = "srv-backendstaging000000"
DATABASE = "dpg-production0000000000"
OWNER = "tea-crm00000000000000000"
TOKEN = "rnd_rehearsal"
FAST = 2_000.0


class World:
    """The stand-in with its fakes, and the words that tests need."""

    def __init__(self, folder: Path, faults: tuple[str, ...], pace: float, overlap: str) -> None:
        self.folder = folder
        self.faults = FakeFaults(*faults)
        self.pace = Pace(pace)
        self.overlap = overlap
        self.source = FakeSource()
        self.apps = FakeApps()
        self.databases = FakeDatabases({DATABASE: "crm-production"})
        self.ports = [free_port() for _ in range(3)]
        files = {"version.txt": "v1", "services/a.js": "1", "frontend/index.html": "<h1>1</h1>"}
        first = self.source.push("main", "First release", files)
        self.source.branches |= {"staging": first, "release": first}
        self.first = first
        self.stand_in = self.build()

    def build(self) -> RenderStandIn:
        """A stand-in on this world's folder; a second one is the first one restarted."""
        env = {"DATABASE_URL": "postgresql://crm@127.0.0.1:1/crm", "FLAG": "old"}
        services = (
            ServiceSeed(BACKEND, "crm-backend", "production", "backend", "main", self.ports[0], 240, env),
            ServiceSeed(
                FRONTEND,
                "crm-frontend",
                "production",
                "frontend",
                "main",
                self.ports[1],
                200,
                root_dir="frontend",
                build_filter=BuildFilter(ignored_paths=("**/*.md",)),
            ),
            ServiceSeed(STAGING, "crm-backend-staging", "staging", "backend", "staging", self.ports[2], 240, env),
        )
        databases = (PostgresSeed(DATABASE, "crm-production", "production"),)
        seed = WorldSeed(OWNER, TOKEN, services, databases, overlap=self.overlap)  # type: ignore[arg-type]
        self.stand_in = RenderStandIn(seed, self.source, self.apps, self.databases, self.faults, self.pace, self.folder)
        return self.stand_in

    @asynccontextmanager
    async def client(self) -> AsyncIterator[httpx.AsyncClient]:
        """A client of the API with the token."""
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(
            base_url=self.stand_in.url, headers=headers, timeout=10, trust_env=False, verify=False
        ) as client:
            yield client

    async def visit(self, service: str = BACKEND, path: str = "/", **more: Any) -> httpx.Response:
        """Ask a service as its users do."""
        port = self.ports[(BACKEND, FRONTEND, STAGING).index(service)]
        async with httpx.AsyncClient(timeout=10, trust_env=False, verify=False) as client:
            return await client.request(more.pop("method", "GET"), f"http://127.0.0.1:{port}{path}", **more)

    async def push(self, branch: str = "main", message: str = "Change", **changes: str) -> str:
        """Push changes (`version` for `version.txt`, `files` aside) and tell the stand-in."""
        files = {"version.txt": changes.pop("version", message), **changes}
        commit = self.source.push(branch, message, files)
        await self.stand_in.branch_moved(branch)
        return commit


async def eventually(condition: Callable[[], Awaitable[Any]], within: float = 10.0) -> Any:
    """Ask again and again until the answer is true, and return it."""
    async with asyncio.timeout(within):
        while not (answer := await condition()):  # noqa: ASYNC110 - asks a server, which gives no notice
            await asyncio.sleep(0.01)
    return answer


async def deploys_of(api: httpx.AsyncClient, service: str, **params: Any) -> list[dict[str, Any]]:
    """A service's deploys, newest first."""
    response = await api.get(f"/services/{service}/deploys", params=params)
    assert response.status_code == 200, response.text
    return [item["deploy"] for item in response.json()]


async def deploy_in(api: httpx.AsyncClient, service: str, *statuses: str, commit: str | None = None) -> dict[str, Any]:
    """Wait for the newest deploy (of a commit) to be in one of these statuses."""

    async def look() -> dict[str, Any] | None:
        found = await deploys_of(api, service)
        mine = [deploy for deploy in found if commit is None or deploy["commit"]["id"] == commit]
        return mine[0] if mine and mine[0]["status"] in statuses else None

    found: dict[str, Any] = await eventually(look)
    return found


StartWorld = Callable[..., Awaitable[World]]


@pytest.fixture
async def start_world(tmp_path: Path) -> AsyncIterator[StartWorld]:
    """Starts worlds with the faults, pace and overlap policy that a test names, and stops them after it."""
    async with AsyncExitStack() as stack:

        async def start(*faults: str, pace: float = FAST, overlap: str = "cancel") -> World:
            world = World(tmp_path / "render", faults, pace, overlap)
            await world.stand_in.start()
            stack.push_async_callback(lambda: world.stand_in.stop())
            return world

        yield start


@pytest.fixture
async def world(start_world: StartWorld) -> World:
    """A world without faults."""
    return await start_world()


@pytest.fixture
async def api(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """The client of that world's API."""
    async with world.client() as client:
        yield client
