"""The way to another database, whole: the adapters, the rehearsal's provider, and real PostgreSQL servers behind it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from console.adapters.render import RenderBackups, RenderClient, RenderInstances, RenderSwitches
from console.domain.databases import TableCount
from console.engine.clock import WallClock
from console.errors import HostingError
from console.ports import Database
from console.redact import Redactor
from console.sandbox.databases import SandboxDatabases
from console.sandbox.seeding import fill
from console.secrets import Secret
from tests.adapters.conftest import HeldToContract, Reports
from tests.openapi_contract import Contract
from tests.sandbox.conftest import databases
from tests.sandbox.render.conftest import BACKEND, DATABASE, FAST, OWNER, TOKEN, World, eventually

__all__ = ["databases"]  # fixtures


class Production:
    """The adapters on a provider whose database is a real server with the CRM's rows in it."""

    def __init__(self, client: RenderClient) -> None:
        self.redactor = Redactor()
        self.backups = RenderBackups(client)
        self.switches = RenderSwitches(client, self.redactor.add)
        self.instances = RenderInstances(client, WallClock(), self.redactor.add, tls="disable")

    async def available(self, postgres_id: str) -> Database:
        """A new instance, once it can be used."""

        async def look() -> bool:
            return (await self.backups.postgres(postgres_id)).status == "available"

        await eventually(look, within=60)
        return await self.instances.database(postgres_id)

    async def rows(self) -> dict[str, int]:
        """What production's own database holds."""
        return rows(await (await self.instances.database(DATABASE)).counts())


def rows(counts: tuple[TableCount, ...]) -> dict[str, int]:
    return {count.table: count.rows for count in counts}


@pytest.fixture
async def production(databases: SandboxDatabases, contract: Contract, tmp_path: Path) -> AsyncIterator[Production]:
    database = await databases.create(DATABASE, "crm-production", database="crm", user="crm_owner")
    await fill(database, 50)
    await databases.protect(DATABASE)
    world = World(tmp_path / "render", (), FAST, "cancel")
    world.databases = databases  # type: ignore[assignment]
    transport = HeldToContract(contract, httpx.AsyncHTTPTransport())
    async with (
        world.build() as stand_in,
        RenderClient(stand_in.url, Secret(TOKEN, "KEY"), OWNER, WallClock(), transport=transport) as client,
    ):
        yield Production(client)


async def test_an_export_is_restored_into_a_new_instance(
    production: Production, tmp_path: Path, reports: Reports
) -> None:
    backups, instances = production.backups, production.instances
    await backups.request_export(DATABASE)

    async def ready() -> bool:
        return (await backups.exports(DATABASE))[0].url is not None

    await eventually(ready, within=60)
    archive = tmp_path / "backup.dir.tar.gz"
    await backups.download((await backups.exports(DATABASE))[0], archive, reports)
    before = await production.rows()
    made = await instances.create(DATABASE, name="crm-from-backup")
    assert (made.status, made.version) == ("creating", "18")
    with pytest.raises(HostingError) as too_early:
        await instances.places(made.id)
    assert too_early.value.status == 404
    database = await production.available(made.id)
    assert await database.counts() == ()
    report = await instances.restore(made.id, archive, reports)
    assert report.unproven == ()
    assert rows(await database.counts()) == before
    assert before["accounts"] == 50
    (row,) = await database.fetch("SELECT has_table_privilege('reporting', 'accounts', 'SELECT') AS reads")
    assert row == {"reads": True}
    assert {each.name for each in await instances.all()} == {"crm-production", "crm-from-backup"}


async def test_a_moment_is_recovered_and_a_service_pointed_at_it(production: Production) -> None:
    instances, switches = production.instances, production.switches
    old = await instances.database(DATABASE)
    (now,) = await old.fetch("SELECT clock_timestamp() AS moment")
    moment = now["moment"]
    assert isinstance(moment, datetime)
    before = await production.rows()
    async with old.session("tests") as session:
        await session.execute("INSERT INTO organisations (name) VALUES ('written since')")
    reachable = (await production.backups.recovery(DATABASE)).starts_at
    assert reachable is not None
    assert reachable <= moment < datetime.now(UTC)
    await eventually(lambda: _past_the_gap(moment))
    made = await instances.recover(DATABASE, moment, name="crm-before-020")
    database = await production.available(made.id)
    assert rows(await database.counts()) == before
    assert (await production.rows())["organisations"] == before["organisations"] + 1
    place = await switches.point_at(BACKEND, "DATABASE_URL", made.id)
    assert place in await instances.places(made.id)
    assert place not in await instances.places(DATABASE)
    assert await switches.database_of(BACKEND, "DATABASE_URL") == place
    value = (await switches.env_var(BACKEND, "DATABASE_URL")).value
    assert production.redactor.text(f"it is {value}") == "it is •••"


async def _past_the_gap(moment: datetime) -> bool:
    """The provider cannot reach the last ten minutes, which pass quickly here."""
    return (datetime.now(UTC) - moment).total_seconds() > 600 / FAST
