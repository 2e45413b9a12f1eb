"""How a test brings a world up, in about three seconds, and does by hand what a release does in it.

    async with running_world(tmp_path / "world", "kpi-breaks", accounts=60) as world:
        merge_and_push(world, git)                      # `git`: the fixture of tests/sandbox/conftest.py
        await until_live(world, await world.remote.head("main"))
        await migrate(world)
        report = await world.report()                   # the `world` block of a summary

It runs in the test's own event loop, without a supervisor; faults are named as on the command line. A test that needs
the console's side takes the overlay: `await overlay_of(world)` is a configuration to be loaded. Where the supervisor
matters (a kill, a restart, the command line) use `console.sandbox.client.up(folder, pace=600)`, which gives a handle
with `endpoints()`, `world()` and `down()`.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from subprocess import CompletedProcess
from typing import cast

import httpx
import psycopg

from console.sandbox.overlay import Endpoints, write_overlay
from console.sandbox.release import new_migration
from console.sandbox.seeding import apply_migration
from console.sandbox.waiting import watch_for
from console.sandbox.world import World
from console.sandbox.world_spec import new_spec

Git = Callable[..., CompletedProcess[str]]

PACE = 2000
_PATIENCE_S = 60.0


@asynccontextmanager
async def running_world(
    folder: Path, *faults: str, accounts: int = 60, plan: Path | None = None
) -> AsyncIterator[World]:
    """A world in the new folder `folder`; gone afterwards."""
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    world = World(folder, new_spec(faults=faults, pace=PACE, accounts=accounts, plan=plan))
    try:
        await world.start(lambda text: None)
        yield world
    finally:
        await world.remove()


async def overlay_of(world: World, folder: Path) -> Path:
    """The configuration with which the console drives the world; its secrets lie beside it in `folder`."""
    endpoints = Endpoints(world.render_url, (await world.database()).url, world.remote.url)
    return await asyncio.to_thread(write_overlay, folder, world.spec, endpoints)


@asynccontextmanager
async def provider(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the provider's API with the world's token."""
    headers = {"Authorization": f"Bearer {world.spec.render_token}"}
    async with httpx.AsyncClient(base_url=world.render_url, headers=headers, timeout=20, trust_env=False) as client:
        yield client


async def soon(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait, up to a minute, until the world is in a state."""
    async with asyncio.timeout(_PATIENCE_S):
        await watch_for(condition, 0.1)


def merge_and_push(world: World, git: Git) -> CompletedProcess[str]:
    """What the release's merge does: staging into main, pushed."""
    git("clone", "--quiet", world.remote.url, ".")
    git("merge", "--quiet", "--no-ff", "-m", "Merge staging", "origin/staging")
    return git("push", "--quiet", "origin", "main", check=False)


async def until_live(world: World, commit: str | None) -> None:
    """Wait until both of production's services run `commit`."""

    async def both() -> bool:
        deploys = cast(list[dict[str, str]], (await world.report())["deploys_live"])
        return all(deploy == {"service": deploy["service"], "commit": commit} for deploy in deploys)

    await soon(both)


async def migrate(world: World) -> None:
    """The release's migration, run as its file stands, and its line in the history."""
    async with await psycopg.AsyncConnection.connect((await world.database()).url, autocommit=True) as link:
        await link.execute("SET lock_timeout = '500ms'")
        await apply_migration(link, new_migration().name, new_migration().read_bytes())
