"""Exports, recovery, suspension: what the API does with the databases."""

import gzip
import io
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from console.sandbox.render.archive_damage import damage
from tests.sandbox.render.conftest import DATABASE, StartWorld, World, eventually

EXPORT = f"/postgres/{DATABASE}/export"
RECOVERY = f"/postgres/{DATABASE}/recovery"


async def test_an_export_is_found_by_comparing_the_lists(world: World, api: httpx.AsyncClient) -> None:
    world.databases.may_finish.clear()
    response = await api.post(EXPORT)
    assert (response.status_code, response.content) == (202, b"")
    (export,) = (await api.get(EXPORT)).json()
    assert "url" not in export
    refused = await api.post(EXPORT)
    assert (refused.status_code, "in progress" in refused.json()["message"]) == (400, True)
    world.databases.may_finish.set()
    ready = await _ready(api)
    assert ready["id"] == export["id"]
    assert world.stand_in.world_report()["exports"] == {DATABASE: 1}


async def test_the_archive_is_downloaded_without_a_token(world: World, api: httpx.AsyncClient) -> None:
    await api.post(EXPORT)
    url = (await _ready(api))["url"]
    assert url.endswith(".dir.tar.gz")
    async with httpx.AsyncClient(trust_env=False) as anybody:
        whole = await anybody.get(url)
        assert int(whole.headers["content-length"]) == len(whole.content) > 4000
        part = await anybody.get(url, headers={"Range": "bytes=100-199"})
        assert (part.status_code, part.content) == (206, whole.content[100:200])
        assert (await anybody.get(url.replace("/exports/", "/exports/x"))).status_code == 404
    with tarfile.open(fileobj=io.BytesIO(whole.content)) as archive:
        assert "dump/toc.dat" in archive.getnames()


async def test_a_stalled_export_never_gets_an_address(start_world: StartWorld) -> None:
    world = await start_world("export-stalls")
    async with world.client() as api:
        await api.post(EXPORT)
        assert (await api.post(EXPORT)).status_code == 400
        (export,) = (await api.get(EXPORT)).json()
        assert "url" not in export
        assert not world.databases.dumping.is_set()


async def test_a_corrupt_backup_lists_but_does_not_read(start_world: StartWorld) -> None:
    world = await start_world("backup-corrupt")
    async with world.client() as api:
        sizes = []
        for _ in range(2):
            await api.post(EXPORT)
            archive = await api.get((await _ready(api))["url"])
            with tarfile.open(fileobj=io.BytesIO(archive.content)) as members:
                sizes.append([member.size for member in members.getmembers()])
        assert sizes == [[900, 2000, 100], [900, 4000, 100]]


def test_damage_cuts_the_largest_table_short(tmp_path: Path) -> None:
    archive = tmp_path / "x.dir.tar.gz"
    rows = gzip.compress(b"1\tAda\n" * 5000)
    with tarfile.open(archive, "w:gz") as tar:
        for name, content in (("d/toc.dat", b"t" * 99_999), ("d/1.dat.gz", rows), ("d/2.dat.gz", b"")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    assert damage(archive) == "d/1.dat.gz"
    with tarfile.open(archive) as tar:
        table = tar.extractfile("d/1.dat.gz")
        assert table is not None
        with pytest.raises(EOFError):
            gzip.decompress(table.read())


async def test_recovery_makes_a_new_instance(world: World, api: httpx.AsyncClient) -> None:
    window = (await api.get(RECOVERY)).json()
    assert window == {"recoveryStatus": "AVAILABLE", "startsAt": "2026-02-04T19:00:00.000000Z"}
    world.databases.may_finish.clear()
    moment = datetime(2026, 2, 4, 20, 14, 3, 118000, tzinfo=UTC)
    wish = {"restoreTime": "2026-02-04T21:14:03.118+01:00", "restoreName": "crm-before-020"}
    created = (await api.post(RECOVERY, json=wish)).json()
    assert (created["status"], created["name"]) == ("creating", "crm-before-020")
    path = f"/postgres/{created['id']}"
    assert (await api.get(f"{path}/connection-info")).status_code == 404
    assert (await api.get(f"{path}/recovery")).json() == {"recoveryStatus": "BACKUP_NOT_READY"}
    world.databases.may_finish.set()

    async def available() -> bool:
        return bool((await api.get(path)).json()["status"] == "available")

    await eventually(available)
    assert world.databases.recovered == [(DATABASE, moment)]
    assert "@127.0.0.1" in (await api.get(f"{path}/connection-info")).json()["externalConnectionString"]
    assert len((await api.get("/postgres")).json()) == 2


@pytest.mark.parametrize(
    "restore_time",
    ["2026-02-04T18:59:59Z", (datetime.now(UTC) + timedelta(days=1)).isoformat()],
    ids=["before the window", "in the future"],
)
async def test_recovery_refuses_what_it_cannot_reach(world: World, api: httpx.AsyncClient, restore_time: str) -> None:
    response = await api.post(RECOVERY, json={"restoreTime": restore_time})
    assert (response.status_code, "must lie between" in response.json()["message"]) == (400, True)


async def test_the_last_ten_minutes_are_out_of_reach(start_world: StartWorld) -> None:
    world = await start_world(pace=1)
    async with world.client() as api:
        now = datetime.now(UTC)
        for minutes, status in ((9, 400), (11, 200)):
            wish = {"restoreTime": (now - timedelta(minutes=minutes)).isoformat()}
            assert (await api.post(RECOVERY, json=wish)).status_code == status


async def test_an_empty_instance_is_created(world: World, api: httpx.AsyncClient) -> None:
    model = (await api.get(f"/postgres/{DATABASE}")).json()
    wish = {
        "name": "crm-from-backup",
        "plan": model["plan"],
        "region": model["region"],
        "version": model["version"],
        "ownerId": model["owner"]["id"],
        "databaseName": "crm",
        "databaseUser": "crm_owner",
    }
    for wrong in ({"version": "16"}, {"databaseName": "postgres"}, {"databaseUser": "x; DROP"}, {"name": ""}):
        assert (await api.post("/postgres", json={**wish, **wrong})).status_code == 400
    assert (await api.post("/postgres", json={**wish, "ownerId": "tea-other"})).status_code == 404
    world.databases.may_finish.clear()
    made = await api.post("/postgres", json=wish)
    created = made.json()
    assert (made.status_code, created["status"]) == (201, "creating")
    assert (created["databaseName"], created["databaseUser"]) == ("crm", "crm_owner")
    path = f"/postgres/{created['id']}"
    assert (await api.get(f"{path}/connection-info")).status_code == 404
    world.databases.may_finish.set()

    async def available() -> bool:
        return bool((await api.get(path)).json()["status"] == "available")

    await eventually(available)
    assert "/crm" in (await api.get(f"{path}/connection-info")).json()["internalConnectionString"]
    listed = [item["postgres"]["id"] for item in (await api.get("/postgres")).json()]
    assert listed == [DATABASE, created["id"]]


async def test_a_recovery_that_breaks_says_so(world: World, api: httpx.AsyncClient) -> None:
    wish = {"restoreTime": "2026-02-04T20:00:00Z", "restoreName": "broken"}
    created = (await api.post(RECOVERY, json=wish)).json()

    async def failed() -> bool:
        return bool((await api.get(f"/postgres/{created['id']}")).json()["status"] == "recovery_failed")

    await eventually(failed)


async def test_a_database_can_be_suspended(world: World, api: httpx.AsyncClient) -> None:
    await api.post(f"/postgres/{DATABASE}/suspend")
    assert world.databases.suspended == {DATABASE}
    assert (await api.get("/postgres", params={"suspended": "suspended"})).json()
    assert (await api.post(EXPORT)).status_code == 400
    await api.post(f"/postgres/{DATABASE}/resume")
    assert world.databases.suspended == set()


async def _ready(api: httpx.AsyncClient) -> dict[str, Any]:
    """The newest export, once it can be downloaded."""

    async def look() -> dict[str, Any] | None:
        newest: dict[str, Any] = (await api.get(EXPORT)).json()[0]
        return newest if "url" in newest else None

    found: dict[str, Any] = await eventually(look)
    return found
