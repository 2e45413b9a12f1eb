"""Instances and switches at the provider: places, pointing, creating; real restores into a real empty database."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from console.adapters.database.database import PostgresDatabase
from console.adapters.render import RenderInstances, RenderSwitches
from console.adapters.render.connections import place_of
from console.adapters.scratch.complaints import Complaint, judge
from console.adapters.scratch.programs import Runner
from console.adapters.scratch.server import Running
from console.domain.hosting import DatabasePlace
from console.engine.clock import WallClock
from console.errors import HostingError, StepFailed
from console.redact import Redactor
from console.secrets import Secret
from tests.adapters.conftest import OWNER, Connect, Reports
from tests.adapters.test_scratch import Dump, dump

__all__ = ["dump"]  # fixtures

SERVICE = "srv-backend"
OLD, NEW = "dpg-old-a", "dpg-new-a"
INTERNAL = f"postgresql://crm:pa55-of-new@{NEW}/crm_x1"
EXTERNAL = f"postgresql://crm:pa55-of-new@{NEW}.frankfurt-postgres.render.com/crm_x1"
POSTGRES = {
    "id": OLD,
    "name": "crm-db",
    "status": "available",
    "version": "18",
    "createdAt": "2026-01-01T00:00:00Z",
    "plan": "pro_8gb",
    "region": "frankfurt",
    "databaseName": "crm",
    "databaseUser": "crm",
    "environmentId": "evm-1",
    "diskSizeGB": 100,
    "diskAutoscalingEnabled": True,
    "highAvailabilityEnabled": True,
    "ipAllowList": [{"cidrBlock": "203.0.113.7/32", "description": "office"}],
}


class Provider:
    """Answers for one service and its instances; remembers in which order things were asked and learnt."""

    def __init__(self, external: str = EXTERNAL) -> None:
        self.external = external
        self.variable = "postgresql://crm:pa55-of-old@dpg-old-a/crm"
        self.takes_it = True
        self.order: list[str] = []
        self.bodies: list[object] = []
        self.redactor = Redactor()

    def learn(self, secret: str) -> None:
        self.order.append("learnt")
        self.redactor.add(secret)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/v1")
        self.order.append(f"{request.method} {path}")
        body = json.loads(request.content or b"{}")
        self.bodies.append(body)
        match request.method, path.split("/")[1:]:
            case "GET", ["postgres", _, "connection-info"]:
                shown = {"password": "pa55-of-new", "psqlCommand": "psql"}
                shown |= {"internalConnectionString": INTERNAL, "externalConnectionString": self.external}
                return httpx.Response(200, json=shown)
            case "GET", ["postgres", _]:
                return httpx.Response(200, json=POSTGRES)
            case "POST", ["postgres"]:
                return httpx.Response(201, json={**POSTGRES, "id": NEW, "name": body["name"], "status": "creating"})
            case "PUT", ["services", _, "env-vars", key]:
                self.variable = body["value"] if self.takes_it else self.variable
                return httpx.Response(200, json={"key": key, "value": self.variable})
            case "GET", ["services", _, "env-vars", key]:
                return httpx.Response(200, json={"key": key, "value": self.variable})
        raise AssertionError(f"nobody asks for {request.method} {path}")


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def switches(connect: Connect, provider: Provider) -> RenderSwitches:
    return RenderSwitches(connect(provider)[0], provider.learn)


@pytest.fixture
def instances(connect: Connect, provider: Provider) -> RenderInstances:
    return RenderInstances(connect(provider)[0], WallClock(), provider.learn, tls="disable")


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("postgresql://u:p@db.test:6432/crm?sslmode=require", DatabasePlace("db.test", 6432, "crm")),
        ("postgres://u:p%40ss@dpg-1-a/crm", DatabasePlace("dpg-1-a", 5432, "crm")),
        ("host=10.0.0.1 dbname=crm user=u password=p", DatabasePlace("10.0.0.1", 5432, "crm")),
    ],
)
def test_where_a_connection_string_leads(address: str, place: DatabasePlace) -> None:
    assert place_of(address, "it") == place
    assert "p" not in str(place_of(address, "it")).replace("dpg", "")


@pytest.mark.parametrize(
    "value", ["s3cret-words", "postgresql://u:s3cret@", "postgresql:///?s3cret", "", "a=b s3cret="]
)
def test_what_leads_nowhere_is_refused_and_not_quoted(value: str) -> None:
    with pytest.raises(HostingError, match="DATABASE_URL of service srv-1 is no connection string") as refused:
        place_of(value, "DATABASE_URL of service srv-1")
    assert "s3cret" not in f"{refused.value!r}{vars(refused.value)}{refused.value.__context__!r}"
    assert refused.value.remedy


async def test_a_variable_tells_which_database_it_leads_to(switches: RenderSwitches, provider: Provider) -> None:
    assert await switches.database_of(SERVICE, "DATABASE_URL") == DatabasePlace("dpg-old-a", 5432, "crm")
    assert provider.redactor.text("pa55-of-old") == "•••"
    provider.variable = "no-database-at-all"
    with pytest.raises(HostingError, match="DATABASE_URL of service srv-backend"):
        await switches.database_of(SERVICE, "DATABASE_URL")
    assert provider.redactor.text(provider.variable) == "•••", "whatever it is, it may be secret"


async def test_a_service_is_pointed_at_an_instances_internal_address(
    switches: RenderSwitches, provider: Provider
) -> None:
    place = await switches.point_at(SERVICE, "DATABASE_URL", NEW)
    assert place == DatabasePlace(NEW, 5432, "crm_x1")
    assert provider.variable == INTERNAL
    put = provider.order.index("PUT /services/srv-backend/env-vars/DATABASE_URL")
    assert provider.order[:put].count("learnt") == 3, "password and both strings are known before one is used"
    assert await switches.database_of(SERVICE, "DATABASE_URL") == place
    assert "pa55-of-new" not in provider.redactor.text(f"{INTERNAL} {EXTERNAL} pa55-of-new")


async def test_a_provider_that_keeps_the_old_value_is_found_out(switches: RenderSwitches, provider: Provider) -> None:
    provider.takes_it = False
    with pytest.raises(HostingError, match="did not take the new value") as refused:
        await switches.point_at(SERVICE, "DATABASE_URL", NEW)
    assert refused.value.sent
    assert "pa55" not in f"{refused.value!r}{vars(refused.value)}"


async def test_maintenance_mode_that_does_not_come_is_an_error(connect: Connect) -> None:
    service = {"id": SERVICE, "name": "crm", "autoDeploy": "no", "suspended": "not_suspended"}
    shown = {**service, "serviceDetails": {"maintenanceMode": {"enabled": False, "uri": ""}}}
    client, _ = connect(lambda _: httpx.Response(200, json=shown))
    switches = RenderSwitches(client, Redactor().add)
    assert not (await switches.set_maintenance(SERVICE, False)).maintenance
    with pytest.raises(HostingError, match="did not switch maintenance mode") as refused:
        await switches.set_maintenance(SERVICE, True)
    assert refused.value.production == "crm serves its users still."


async def test_a_new_instance_is_made_after_another(instances: RenderInstances, provider: Provider) -> None:
    made = await instances.create(OLD, name="crm-before-020")
    assert (made.id, made.name, made.status) == (NEW, "crm-before-020", "creating")
    assert provider.bodies[-1] == {
        "name": "crm-before-020",
        "ownerId": OWNER,
        "plan": "pro_8gb",
        "version": "18",
        "region": "frankfurt",
        "databaseName": "crm",
        "databaseUser": "crm",
        "environmentId": "evm-1",
        "diskSizeGB": 100,
        "enableDiskAutoscaling": True,
        "enableHighAvailability": True,
        "ipAllowList": [{"cidrBlock": "203.0.113.7/32", "description": "office"}],
    }


async def test_a_creation_whose_answer_is_lost_is_never_sent_again(connect: Connect) -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.method)
        if request.method == "POST":
            raise httpx.ReadTimeout("nothing came")
        return httpx.Response(200, json=POSTGRES)

    client, _ = connect(answer)
    with pytest.raises(HostingError) as lost:
        await RenderInstances(client, WallClock(), Redactor().add).create(OLD, name="x")
    assert lost.value.sent
    assert asked == ["GET", "POST"]


async def test_places_are_internal_and_external(instances: RenderInstances, provider: Provider) -> None:
    assert [str(place) for place in await instances.places(NEW)] == [
        f"{NEW}:5432/crm_x1",
        f"{NEW}.frankfurt-postgres.render.com:5432/crm_x1",
    ]
    assert provider.order == [f"GET /postgres/{NEW}/connection-info", "learnt", "learnt", "learnt"]


@pytest.fixture
async def empty(server: Running, clock: WallClock, provider: Provider) -> AsyncIterator[PostgresDatabase]:
    """A new instance's empty database, whose owner is no superuser; the provider says how it is reached."""
    admin = PostgresDatabase(server.url("postgres"), clock, tls="disable")
    async with admin.session("tests") as session:
        await session.execute("CREATE ROLE crm LOGIN PASSWORD 'pa55-of-new'")
        await session.execute("CREATE ROLE known_there")
        await session.execute("CREATE DATABASE new_instance OWNER crm TEMPLATE template0")
    provider.external = f"postgresql://crm:pa55-of-new@/new_instance?host={server.socket}"
    yield PostgresDatabase(Secret(provider.external, "tests"), clock, tls="disable")
    async with admin.session("tests") as session:
        await session.execute("DROP DATABASE new_instance WITH (FORCE)")
        await session.execute("DROP ROLE crm, known_there")


@pytest.fixture
def arguments(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What every program of PostgreSQL was started with."""
    heard: list[str] = []
    start = Runner.start

    async def listen(self: Runner, program: Path, *words: str, **more: object) -> object:
        heard.extend((str(program), *words))
        return await start(self, program, *words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Runner, "start", listen)
    return heard


async def test_an_instance_is_opened_as_a_database(instances: RenderInstances, empty: PostgresDatabase) -> None:
    identity = await (await instances.database(NEW)).identity()
    assert (identity.database, identity.role, identity.superuser) == ("new_instance", "crm", False)
    assert await empty.counts() == ()


async def test_a_backup_is_restored_into_an_empty_instance_with_its_grants(
    dump: Dump,
    database: PostgresDatabase,
    instances: RenderInstances,
    empty: PostgresDatabase,
    reports: Reports,
    arguments: list[str],
    provider: Provider,
) -> None:
    async with database.session("tests") as session:
        await session.execute("CREATE ROLE gone_there")
        await session.execute("GRANT SELECT ON leads TO known_there")
        await session.execute("GRANT SELECT ON accounts TO gone_there")
    try:
        archive = await dump()
    finally:
        async with database.session("tests") as session:
            await session.execute("DROP OWNED BY known_there, gone_there")
            await session.execute("DROP ROLE gone_there")
    restored = await instances.restore(NEW, archive, reports)
    assert {count.table: count.rows for count in await empty.counts()} == {"accounts": 2000, "leads": 2}
    (row,) = await empty.fetch(
        "SELECT has_table_privilege('known_there', 'leads', 'SELECT') AS granted, pg_get_userbyid(relowner) AS owner,"
        " reltuples::int AS estimate FROM pg_class WHERE relname = 'leads'"
    )
    assert row == {"granted": True, "owner": "crm", "estimate": 2}
    assert restored.server.startswith("PostgreSQL 18")
    assert restored.objects > 5
    assert restored.seconds > 0
    (unproven,) = restored.unproven
    assert unproven.startswith("ACL TABLE accounts: needs gone_there")
    said = " ".join(arguments) + repr(reports.heard)
    assert "pg_restore" in said
    assert "pa55-of-new" not in said
    assert provider.redactor.text("pa55-of-new") == "•••"


async def test_nothing_is_restored_over_what_is_there(
    dump: Dump, instances: RenderInstances, empty: PostgresDatabase, reports: Reports
) -> None:
    archive = await dump()
    async with empty.session("tests") as session:
        await session.execute("CREATE TABLE leads (id int)")
    with pytest.raises(StepFailed, match="not empty: it holds 1 tables") as refused:
        await instances.restore(NEW, archive, reports)
    assert "No service uses" in refused.value.production
    assert {count.table for count in await empty.counts()} == {"leads"}


async def test_an_instance_must_hold_everything(
    dump: Dump, database: PostgresDatabase, instances: RenderInstances, empty: PostgresDatabase, reports: Reports
) -> None:
    """A role that a policy names and the instance lacks: unproven in a scratch server, a failure here."""
    async with database.session("tests") as session:
        await session.execute("CREATE ROLE gone_there")
        await session.execute("ALTER TABLE leads ENABLE ROW LEVEL SECURITY")
        await session.execute("CREATE POLICY theirs ON leads TO gone_there USING (true)")
    try:
        archive = await dump()
    finally:
        async with database.session("tests") as session:
            await session.execute("DROP OWNED BY gone_there")
            await session.execute("DROP ROLE gone_there")
    with pytest.raises(StepFailed, match="cannot be restored into the new instance") as failed:
        await instances.restore(NEW, archive, reports)
    assert failed.value.lines == ('POLICY leads theirs: role "gone_there" does not exist',)
    assert "holds a part of the backup" in failed.value.production
    assert failed.value.remedy


def test_what_an_instance_lacks_is_a_fault_but_for_grants_and_comments() -> None:
    query = "could not execute query: ERROR:  "
    found = (
        Complaint(f'{query}extension "citext" is not available', "EXTENSION citext"),
        Complaint(f'{query}type "citext" does not exist', "public TABLE people"),
        Complaint(f'{query}role "auditor" does not exist', "ACL public TABLE leads"),
        Complaint(f"{query}must be owner of extension plpgsql", "COMMENT EXTENSION plpgsql"),
    )
    verdict = judge(found, whole=True, lenient=("ACL", "COMMENT"))
    assert [fault.partition(":")[0] for fault in verdict.faults] == ["EXTENSION citext", "public TABLE people"]
    assert [text.partition(":")[0] for text in verdict.unproven] == [
        "ACL public TABLE leads",
        "COMMENT EXTENSION plpgsql",
    ]
    assert judge(found).faults == (("COMMENT EXTENSION plpgsql: must be owner of extension plpgsql"),)
