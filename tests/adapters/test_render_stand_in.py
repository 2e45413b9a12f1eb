"""Every call of the Render adapters against the rehearsal's stand-in, each request held to the API description."""

from collections.abc import AsyncIterator, Awaitable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from console.adapters.render import (
    Patience,
    RenderBackups,
    RenderClient,
    RenderHosting,
    RenderInstances,
    RenderSwitches,
    RenderTelemetry,
)
from console.domain.hosting import Deploy, DeployStatus
from console.engine.clock import WallClock
from console.errors import HostingError
from console.redact import Redactor
from console.secrets import Secret
from tests.adapters.conftest import HeldToContract, Reports
from tests.openapi_contract import Contract
from tests.sandbox.render.conftest import (
    BACKEND,
    DATABASE,
    FRONTEND,
    OWNER,
    TOKEN,
    StartWorld,
    World,
    eventually,
    start_world,
    world,
)

__all__ = ["start_world", "world"]  # fixtures


@pytest.fixture
async def client(world: World, contract: Contract) -> AsyncIterator[RenderClient]:
    transport = HeldToContract(contract, httpx.AsyncHTTPTransport())
    async with RenderClient(
        world.stand_in.url, Secret(TOKEN, "KEY"), OWNER, WallClock(), transport=transport
    ) as client:
        yield client


@pytest.fixture
def hosting(client: RenderClient) -> RenderHosting:
    return RenderHosting(client)


async def ended(hosting: RenderHosting, commit: str, service: str = BACKEND) -> Deploy:
    """The newest deploy of a commit, once it has ended."""

    async def look() -> Deploy | None:
        found = [deploy for deploy in await hosting.deploys(service) if deploy.commit == commit]
        return found[0] if found and found[0].status.ended else None

    deploy = await eventually(look)
    assert isinstance(deploy, Deploy)
    return deploy


async def test_a_service_is_read_with_all_its_settings(hosting: RenderHosting, world: World) -> None:
    service = await hosting.service(FRONTEND)
    assert (service.id, service.name, service.branch) == (FRONTEND, "crm-frontend", "main")
    assert (service.auto_deploy, service.suspended, service.maintenance) == ("commit", False, False)
    assert service.root_dir == "frontend"
    assert service.ignored_paths == ("**/*.md",)
    assert service.repository == world.source.url
    assert service.url == f"http://127.0.0.1:{world.ports[1]}"
    assert abs((await hosting.now() - datetime.now(UTC)).total_seconds()) < 5


async def test_deploys_are_followed_started_and_rolled_back(hosting: RenderHosting, world: World) -> None:
    (first,) = await hosting.deploys(BACKEND)
    assert (first.status, first.commit, first.service) == (DeployStatus.LIVE, world.first, BACKEND)
    pushed = await world.push(version="v2")
    second = await ended(hosting, pushed)
    assert (second.status, second.trigger) == (DeployStatus.LIVE, "new_commit")
    assert second.started_at is not None
    assert (await hosting.deploy(BACKEND, first.id)).status is DeployStatus.DEACTIVATED
    started = await hosting.start_deploy(BACKEND, world.first)
    assert started is not None
    assert started.trigger == "api"
    assert (await ended(hosting, world.first)).status is DeployStatus.LIVE
    back = await hosting.roll_back(BACKEND, second.id)
    assert back.trigger == "rollback"
    assert back.commit == pushed


async def test_a_build_can_be_cancelled(start_world: StartWorld, contract: Contract) -> None:
    world = await start_world(pace=1.0)
    transport = HeldToContract(contract, httpx.AsyncHTTPTransport())
    async with RenderClient(
        world.stand_in.url, Secret(TOKEN, "KEY"), OWNER, WallClock(), transport=transport
    ) as client:
        hosting = RenderHosting(client)
        started = await hosting.start_deploy(BACKEND, world.first)
        assert started is not None
        cancelled = await hosting.cancel_deploy(BACKEND, started.id)
        assert cancelled.status is DeployStatus.CANCELED


async def test_autodeploy_is_switched(hosting: RenderHosting) -> None:
    assert (await hosting.set_auto_deploy(BACKEND, "off")).auto_deploy == "off"
    assert (await hosting.service(BACKEND)).auto_deploy == "off"
    assert (await hosting.set_auto_deploy(BACKEND, "commit")).auto_deploy == "commit"


async def test_a_rollback_throws_its_switches(client: RenderClient, hosting: RenderHosting) -> None:
    switches = RenderSwitches(client, Redactor().add)
    variables = {variable.key: variable.value for variable in await switches.env_vars(BACKEND)}
    assert variables["FLAG"] == "old"
    assert (await switches.set_env_var(BACKEND, "FLAG", "new")).value == "new"
    assert (await switches.env_var(BACKEND, "FLAG")).value == "new"
    assert "new" not in repr(await switches.env_var(BACKEND, "FLAG"))
    assert (await switches.set_maintenance(BACKEND, True)).maintenance
    assert (await hosting.service(BACKEND)).maintenance
    assert not (await switches.set_maintenance(BACKEND, False)).maintenance
    await switches.restart(BACKEND)
    await switches.suspend(BACKEND)
    assert (await hosting.service(BACKEND)).suspended
    await switches.resume(BACKEND)
    assert not (await hosting.service(BACKEND)).suspended
    happened = {event.type for event in await switches.events(BACKEND)}
    assert {"maintenance_mode_enabled", "server_restarted", "service_resumed"} <= happened
    soon = datetime.now(UTC) + timedelta(minutes=1)
    assert await switches.events(BACKEND, start=soon) == ()


async def test_an_export_is_asked_for_found_and_fetched(client: RenderClient, tmp_path: Path, reports: Reports) -> None:
    backups = RenderBackups(client)
    instance = await backups.postgres(DATABASE)
    assert (instance.name, instance.status, instance.version) == ("crm-production", "available", "18")
    assert await backups.exports(DATABASE) == ()
    await backups.request_export(DATABASE)

    async def ready() -> bool:
        return (await backups.exports(DATABASE))[0].url is not None

    await eventually(ready)
    (export,) = await backups.exports(DATABASE)
    assert "http" not in repr(export)
    done = await backups.download(export, tmp_path / "b.dir.tar.gz", reports)
    assert done.size == (tmp_path / "b.dir.tar.gz").stat().st_size > 0


async def test_recovery_makes_a_new_instance(client: RenderClient) -> None:
    backups, redactor = RenderBackups(client), Redactor()
    instances = RenderInstances(client, WallClock(), redactor.add, tls="disable")
    window = await backups.recovery(DATABASE)
    assert window.status == "AVAILABLE"
    assert window.starts_at is not None
    made = await instances.recover(DATABASE, window.starts_at + timedelta(minutes=20), name="crm-recovered")
    assert made.id != DATABASE
    assert made.name == "crm-recovered"

    async def reachable() -> bool:
        return (await backups.postgres(made.id)).status == "available"

    await eventually(reachable)
    assert {(info.id, info.name) for info in await instances.all()} == {
        (DATABASE, "crm-production"),
        (made.id, "crm-recovered"),
    }
    internal, external = await instances.places(made.id)
    assert internal.database == external.database == "crm"
    assert redactor.text("its password is s3cret") == "its password is •••"
    await instances.suspend(DATABASE)
    assert (await backups.postgres(DATABASE)).status == "suspended"
    await instances.resume(DATABASE)


async def test_logs_are_read_by_pages(client: RenderClient, world: World) -> None:
    telemetry = RenderTelemetry(client)
    for number in range(5):
        await world.visit(path=f"/{number}")
    start, end = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(minutes=1)
    page = await telemetry.logs([BACKEND], start=start, end=end, kinds=["request"], limit=3)
    assert [entry.labels["path"] for entry in page.entries] == ["/0", "/1", "/2"]
    assert page.more
    assert page.next_start is not None
    assert page.next_end is not None
    rest = await telemetry.logs([BACKEND], start=page.next_start, end=page.next_end, kinds=["request"], limit=3)
    assert [entry.labels["path"] for entry in rest.entries] == ["/3", "/4"]
    assert not rest.more
    (entry, *_) = rest.entries
    assert (entry.service, entry.kind, entry.level) == (BACKEND, "request", "info")
    last = await telemetry.logs([BACKEND], start=start, end=end, kinds=["request"], limit=2, direction="backward")
    assert [entry.labels["path"] for entry in last.entries] == ["/3", "/4"], "oldest first all the same"


async def test_metrics_come_as_series(client: RenderClient, world: World) -> None:
    telemetry = RenderTelemetry(client)
    await world.visit()
    await world.visit(path="/broken")
    start, end = datetime.now(UTC) - timedelta(minutes=5), datetime.now(UTC) + timedelta(minutes=1)
    requests = await telemetry.requests(BACKEND, start=start, end=end)
    counted = {s.labels["statusCode"]: sum(sample.value for sample in s.samples) for s in requests}
    assert counted == {"200": 1, "500": 1}
    latency = await telemetry.latency(BACKEND, start=start, end=end)
    assert [(series.labels["quantile"], series.unit) for series in latency] == [("0.5", "ms"), ("0.95", "ms")]
    for metric in ("cpu", "memory"):
        assert isinstance(await telemetry.usage(BACKEND, metric, start=start, end=end), tuple)
    assert isinstance(await telemetry.usage(DATABASE, "active-connections", start=start, end=end), tuple)
    with pytest.raises(ValueError, match="disk"):
        await telemetry.usage(BACKEND, "disk", start=start, end=end)


async def test_wrong_keys_and_ids_are_told(world: World, client: RenderClient, hosting: RenderHosting) -> None:
    with pytest.raises(HostingError, match="srv-unknown") as unknown:
        await hosting.service("srv-unknown")
    assert unknown.value.status == 404
    async with RenderClient(world.stand_in.url, Secret("rnd_wrong-key", "KEY"), OWNER, WallClock()) as stranger:
        with pytest.raises(HostingError) as refused:
            await RenderHosting(stranger).service(BACKEND)
    assert refused.value.status == 401
    assert "rnd_wrong-key" not in f"{refused.value!r}{vars(refused.value)}"


@pytest.mark.parametrize("fault", ["api-429", "api-500"])
async def test_reads_get_through_a_faulty_api(start_world: StartWorld, fault: str, contract: Contract) -> None:
    world = await start_world(fault)

    class Hasty(WallClock):
        """Does not wait a minute for the provider's window."""

        async def sleep(self, seconds: float) -> None:
            await super().sleep(min(seconds, 0.01))

    transport = HeldToContract(contract, httpx.AsyncHTTPTransport())
    async with RenderClient(world.stand_in.url, Secret(TOKEN, "KEY"), OWNER, Hasty(), transport=transport) as client:
        hosting = RenderHosting(client)
        for _ in range(20):
            assert (await hosting.service(BACKEND)).id == BACKEND
            assert (await hosting.set_auto_deploy(BACKEND, "commit")).auto_deploy == "commit"
            if len(transport.requests) > 8:
                break
    assert len(transport.requests) > 8


async def test_a_hanging_api_is_asked_again_for_reads_alone(start_world: StartWorld) -> None:
    world = await start_world("api-timeout")
    patience = Patience(first_read=0.2, read=0.5, first_pause=0.01, longest_pause=0.02)
    async with RenderClient(world.stand_in.url, Secret(TOKEN, "KEY"), OWNER, WallClock(), patience=patience) as client:
        for _ in range(30):
            assert (await RenderHosting(client).service(BACKEND)).id == BACKEND
        errors = [await failure(RenderBackups(client).request_export(DATABASE)) for _ in range(12)]
    lost = [error for error in errors if error is not None and error.status is None]
    assert lost
    assert all(error.sent and not error.retryable for error in lost)


async def failure(request: Awaitable[None]) -> HostingError | None:
    try:
        await request
    except HostingError as error:
        return error
    return None
