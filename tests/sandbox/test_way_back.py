"""Ways back, gone by hand in a real world: what the provider and the CRM do on them, and what the world says then."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import httpx
import psycopg
import pytest

from console.sandbox.release import old_migrations
from console.sandbox.remote import build_remote
from console.sandbox.user_writes import Answer
from console.sandbox.world import World
from console.sandbox.world_after import commits_before
from console.sandbox.world_spec import ServiceSpec
from tests.sandbox.worlds import (
    Git,
    merge_and_push,
    migrate,
    overlay_of,
    provider,
    running_world,
    soon,
    until_live,
)

_KEPT = "CREATE TABLE kept AS SELECT id, license_status, account_type, is_trial FROM accounts"
_BUILT_BACK = """
    BEGIN;
    DROP VIEW active_accounts, deleted_accounts;
    ALTER TABLE accounts ADD license_status varchar(50) DEFAULT 'pending', ADD account_type varchar(50),
        ADD is_trial boolean;
    UPDATE accounts SET license_status = kept.license_status, account_type = kept.account_type,
        is_trial = kept.is_trial FROM kept WHERE kept.id = accounts.id;
    ALTER TABLE accounts DROP account_status;
    DELETE FROM schema_migrations WHERE version = 20;
    COMMIT;
"""
_DIFFERENCE = """
    SELECT (SELECT count(*) FROM accounts WHERE updated_at > %(since)s)
         + (SELECT count(*) FROM account_history WHERE changed_at > %(since)s)
         + (SELECT count(*) FROM leads WHERE created_at > %(since)s)
         + (SELECT count(*) FROM lead_history WHERE changed_at > %(since)s)
"""


def backend_of(world: World) -> ServiceSpec:
    return world.spec.service("production", "backend")


async def sql(url: str, query: str, **parameters: object) -> list[tuple[Any, ...]]:
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as link:
        cursor = await link.execute(query.encode(), parameters or None)
        return await cursor.fetchall() if cursor.description else []


async def confirmed(world: World, count: int) -> None:
    """Wait until users have been told of so many more writes that they were done."""
    writes = world.user_writes

    def told() -> int:
        return sum(one.answer is Answer.CONFIRMED for one in writes.since())

    wanted = told() + count

    async def enough() -> bool:
        return await asyncio.to_thread(told) >= wanted

    await soon(enough)


async def released(world: World, git: Git) -> str:
    """The release live and migrated; its merge."""
    assert merge_and_push(world, git).returncode == 0
    merge = await world.remote.head("main")
    assert merge is not None
    await until_live(world, merge)
    await migrate(world)
    return merge


def reverted(git: Git) -> None:
    git("revert", "--no-edit", "-m", "1", "HEAD")
    git("push", "--quiet", "origin", "main")


async def in_use(world: World) -> str | None:
    """What the backend says; a connection of its pool that was ended meanwhile costs it one answer."""
    said: list[str] = []

    async def answered() -> bool:
        (used,) = cast(list[dict[str, str | None]], (await world.report())["database_in_use"])
        assert used["service"] == "crm-backend"
        said.extend([used["postgres_id"]] if used["postgres_id"] is not None else [])
        return bool(said)

    await soon(answered)
    return said[0]


async def deployed(world: World, api: httpx.AsyncClient, ask: Callable[[], Awaitable[httpx.Response]]) -> None:
    deploy = (await ask()).json()["id"]
    path = f"/services/{backend_of(world).id}/deploys/{deploy}"

    async def live() -> bool:
        return bool((await api.get(path)).json()["status"] == "live")

    await soon(live)


async def test_before_anything_happened_all_is_as_before(tmp_path: Path) -> None:
    """And the overlay leads to the stakeholders' mailbox, and says where a backend reads its database."""
    folder = tmp_path / "world"
    async with running_world(folder, "notify-down") as world:
        report = await world.report()
        assert report["old_values_equal_before"] == {"equal": 60, "differ": (), "changed_since": ()}
        assert report["database_in_use"] == [{"service": "crm-backend", "postgres_id": world.spec.postgres_id}]
        assert report["rows_written_since_kept"] == {"written": 0, "kept": 0}
        assert report["loss"] == {"stated": None, "counted": None}
        as_before = ("tree_of_main_equals_before", "autodeploy_as_before", "old_checks_pass")
        assert [report[key] for key in as_before] == [True, True, True]
        assert report["messages_sent"] == 0
        await overlay_of(world, folder)
        address = (folder / "channel-url").read_text().strip().replace("json://", "http://")
        async with httpx.AsyncClient(trust_env=False) as client:
            refused = await client.post(address, json={"title": "Incident", "message": "…"})
        assert refused.status_code == 503
        (names,) = await sql((await world.database()).url, _WHO_IS_CONNECTED)
        assert names == (["crm-backend"],)


_WHO_IS_CONNECTED = """
    SELECT array_agg(DISTINCT application_name) FROM pg_stat_activity
    WHERE application_name LIKE 'crm-%%' AND datname = current_database()
"""


async def test_the_schema_built_back_loses_nothing_and_a_wrong_value_is_found(tmp_path: Path, git: Git) -> None:
    async with running_world(tmp_path / "world") as world:
        url = (await world.database()).url
        await sql(url, _KEPT)
        merge = await released(world, git)
        await confirmed(world, 12)
        forward = await world.report()
        assert (forward["tree_of_main_equals_before"], forward["old_checks_pass"]) == (False, False)
        assert forward["old_values_equal_before"] is None

        reverted(git)
        await sql(url, _BUILT_BACK)
        await sql(url, next(path for path in old_migrations() if "account_views" in path.name).read_text())
        back = await world.remote.head("main")
        assert back != merge
        await until_live(world, back)
        report = await world.report()
        assert (report["tree_of_main_equals_before"], report["old_checks_pass"]) == (True, True)
        kept = cast(dict[str, int], report["rows_written_since_kept"])
        assert kept["written"] == kept["kept"] >= 12
        values = cast(dict[str, Any], report["old_values_equal_before"])
        assert values["differ"] == ()
        assert values["equal"] + len(values["changed_since"]) == 60
        assert report["loss"] == {"stated": None, "counted": None}

        untouched = next(key for key in range(1, 61) if key not in values["changed_since"])
        await sql(url, "UPDATE accounts SET is_trial = NOT is_trial WHERE id = %(key)s", key=untouched)
        found = cast(dict[str, Any], (await world.report())["old_values_equal_before"])
        assert untouched in (*found["differ"], *found["changed_since"])
        assert len(found["differ"]) <= 1


async def test_another_database_has_its_price_and_the_providers_rollback_its_trap(tmp_path: Path, git: Git) -> None:
    async with running_world(tmp_path / "world") as world, provider(world) as api:
        old, service = await world.database(), backend_of(world)
        await confirmed(world, 4)
        ((moment,),) = await sql(old.url, "SELECT clock_timestamp()")
        await released(world, git)
        await confirmed(world, 8)
        await set_maintenance(world, api, True)
        await refused_soon(world)
        await fence(world)
        new = await recovered(world, api, moment)

        await api.put(f"/services/{service.id}/env-vars/DATABASE_URL", json={"value": new["url"]})
        await set_maintenance(world, api, False)
        assert await in_use(world) == old.id  # no deploy has brought the variable yet
        await set_maintenance(world, api, True)
        reverted(git)
        back = await world.remote.head("main")

        async def both_live() -> bool:
            listed = await api.get(f"/services/{service.id}/deploys", params={"limit": 1})
            newest = listed.json()[0]["deploy"]
            return bool(newest["commit"]["id"] == back and newest["status"] == "live")

        await soon(both_live)
        await set_maintenance(world, api, False)
        await until_live(world, back)
        assert await in_use(world) == new["id"]
        await confirmed(world, 6)
        report = await world.report()
        ((difference,),) = await sql(old.url, _DIFFERENCE, since=moment)
        assert report["loss"] == {"stated": None, "counted": difference}
        assert difference >= 8
        kept = cast(dict[str, int], report["rows_written_since_kept"])
        assert 6 <= kept["kept"] < kept["written"]
        assert cast(dict[str, Any], report["old_values_equal_before"])["differ"] == ()
        assert report["old_checks_pass"]

        await trap(world, api, old.id)


async def trap(world: World, api: httpx.AsyncClient, old: str) -> None:
    """The provider's rollback to a build from before the switch serves the old database again."""
    deploys = (await api.get(f"/services/{backend_of(world).id}/deploys")).json()
    first = deploys[-1]["deploy"]["id"]
    await deployed(world, api, lambda: api.post(f"/services/{backend_of(world).id}/rollback", json={"deployId": first}))
    assert await in_use(world) == old


async def set_maintenance(world: World, api: httpx.AsyncClient, enabled: bool) -> None:
    service = backend_of(world)
    mode = {"serviceDetails": {"maintenanceMode": {"enabled": enabled, "uri": ""}}}
    assert (await api.patch(f"/services/{service.id}", json=mode)).status_code == 200
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{service.url}/health")
    assert answer.status_code == (503 if enabled else 200)


async def refused_soon(world: World) -> None:
    """Users go on during maintenance; what they try is recorded as refused."""

    async def refused() -> bool:
        return any(
            one.answer is Answer.REFUSED for one in await asyncio.to_thread(lambda: [*world.user_writes.since()])
        )

    await soon(refused)


async def fence(world: World) -> None:
    url = (await world.database()).url
    await sql(url, "ALTER DATABASE crm SET default_transaction_read_only = on")
    await sql(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND usename = current_user AND pid <> pg_backend_pid()",
    )
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        await sql(url, "DELETE FROM leads")


async def recovered(world: World, api: httpx.AsyncClient, moment: datetime) -> dict[str, str]:
    """A new instance with what was there at `moment`: reachable, listed, in the old schema."""
    path = f"/postgres/{world.spec.postgres_id}/recovery"
    wish = {"restoreTime": moment.isoformat(), "restoreName": "crm-before-020"}
    assert (await api.post(path, json={**wish, "restoreTime": "2020-01-01T00:00:00Z"})).status_code == 400
    created = (await api.post(path, json=wish)).json()
    one = f"/postgres/{created['id']}"

    async def available() -> bool:
        return bool((await api.get(one)).json()["status"] == "available")

    await soon(available)
    listed = [item["postgres"]["id"] for item in (await api.get("/postgres")).json()]
    assert created["id"] in listed
    info = (await api.get(f"{one}/connection-info")).json()
    url: str = info["externalConnectionString"]
    ((old_values, later),) = await sql(
        url,
        "SELECT count(license_status), (SELECT count(*) FROM account_history WHERE changed_at > %(at)s) FROM accounts",
        at=moment,
    )
    assert old_values > 0
    assert later == 0
    return {"id": created["id"], "url": info["internalConnectionString"]}


async def test_what_a_colleague_pushed_belongs_to_what_was_before(tmp_path: Path, git: Git) -> None:
    remote = await build_remote(tmp_path / "race.git", race=True)
    born = await remote.head("main")
    assert await commits_before(remote) == (born,)
    git("clone", "--quiet", remote.url, ".")
    git("merge", "--quiet", "--no-ff", "-m", "Merge staging", "origin/staging")
    assert git("push", "--quiet", "origin", "main", check=False).returncode != 0
    colleague = await remote.head("main")
    assert colleague != born
    git("fetch", "--quiet")
    git("merge", "--quiet", "-m", "Merge main", "origin/main")
    git("push", "--quiet", "origin", "main")
    assert await commits_before(remote) == (born, colleague)
