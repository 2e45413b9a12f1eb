"""The whole world: services that follow their branches, users, and the faults that happen in it."""

import asyncio
from pathlib import Path

import httpx
import psycopg
import pytest

from console.sandbox.contracts import EnvironmentName, Role
from console.sandbox.world import World
from tests.sandbox.worlds import Git, merge_and_push, migrate, running_world, soon, until_live

ROLES: tuple[Role, ...] = ("backend", "frontend")


async def statuses(world: World, column: str) -> dict[str, int]:
    query = f"SELECT coalesce({column}, 'NULL'), count(*) FROM accounts GROUP BY 1"
    async with await psycopg.AsyncConnection.connect((await world.database()).url) as link:
        return {str(status): int(count) for status, count in await (await link.execute(query.encode())).fetchall()}


async def backlog(world: World, log: Path, words: str) -> int:
    """How often `words` stand in the log of the provider."""
    return (await asyncio.to_thread(log.read_text)).count(words)


async def test_a_release_by_hand_is_what_the_world_reports_also_after_a_restart(tmp_path: Path, git: Git) -> None:
    """Push, wait for both services, migrate: once each; a world started again stands where it stood."""
    folder = tmp_path / "world"
    async with running_world(folder) as world:
        before = await world.report()
        assert (before["exports"], before["pushes_to_main"], before["migrations_applied"]) == (0, 0, 0)
        assert before["accounts"] == 60
        assert before["account_status"] == await statuses(world, "license_status")
        await assert_release_runs(world, "staging", "devtest")
        assert merge_and_push(world, git).returncode == 0
        merge = await world.remote.head("main")
        await until_live(world, merge)
        await migrate(world)
        await assert_release_runs(world, "production")
        after = await world.report()
        assert (after["pushes_to_main"], after["migrations_applied"], after["accounts"]) == (1, 1, 60)
        assert after["head_of_main"] == merge
        assert after["account_status"] == await statuses(world, "account_status")

        await world.stop()
        again = World(folder, world.spec)
        await again.start(lambda text: None)
        try:
            assert again.render_url.startswith("http://127.0.0.1:")
            # Only the users have gone on in between.
            since = "rows_written_since_kept"
            assert {**await again.report(), since: None} == {**after, since: None}
        finally:
            await again.stop()


async def assert_release_runs(world: World, *environments: EnvironmentName) -> None:
    """Both services of each environment run a commit that serves the dashboard from the new schema."""
    async with httpx.AsyncClient(trust_env=False) as client:
        for environment in environments:
            for role in ROLES:
                service = world.spec.service(environment, role)
                told = (await client.get(f"{service.url}/health")).json()["commit"]
                assert told == await world.remote.head(service.branch)
                kpis = await client.get(f"{service.url}/api/dashboard/kpis")
                assert "inactiveAccounts" in kpis.json()


async def test_faults_of_the_database_and_of_the_users_happen_at_their_moment(tmp_path: Path, git: Git) -> None:
    """lock-blocked until the session is ended, then kpi-breaks for the new release only, and error-spike."""
    folder = tmp_path / "world"
    log = folder / "render" / "logs.jsonl"
    holder = "SELECT pid FROM pg_stat_activity WHERE usename = 'reporting' AND state = 'idle in transaction'"
    async with running_world(folder, "lock-blocked", "kpi-breaks", "error-spike") as world:
        url = (await world.database()).url
        backend = world.spec.service("production", "backend")
        async with (
            httpx.AsyncClient(base_url=backend.url, trust_env=False) as client,
            await psycopg.AsyncConnection.connect(url, autocommit=True) as link,
        ):

            async def held() -> bool:
                return await (await link.execute(holder.encode())).fetchone() is not None

            async def broken() -> bool:
                return "account_health" in (await client.get("/api/dashboard/kpis")).text

            async def spiking() -> bool:
                return await backlog(world, log, "SQLSTATE 22012: division by zero") >= 5

            assert not await held()
            assert (await client.get("/api/dashboard/kpis")).status_code == 200
            merge_and_push(world, git)
            await until_live(world, await world.remote.head("main"))

            await soon(held)
            with pytest.raises(psycopg.errors.LockNotAvailable):
                await migrate(world)
            assert (await world.report())["migrations_applied"] == 0
            await link.execute(f"SELECT pg_terminate_backend(pid) FROM ({holder}) AS holders".encode())
            await migrate(world)

            await soon(broken)
            assert (await client.get("/api/dashboard/kpis")).json()["sqlstate"] == "P0001"
            assert (await client.get("/api/accounts")).status_code == 200
            await soon(spiking)
