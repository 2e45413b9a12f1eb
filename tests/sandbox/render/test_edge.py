"""The public side: what passes the edge, what it counts, and what the measurements say."""

import asyncio
from typing import Any

import httpx
import pytest

from console.sandbox.render.autodeploy import triggers_build
from console.sandbox.render.birth import newborn
from console.sandbox.render.process_usage import _from_ps, usage_of
from console.sandbox.render.seed import BuildFilter, ServiceSeed, WorldSeed
from tests.sandbox.render.conftest import BACKEND, FRONTEND, StartWorld, World, eventually
from tests.sandbox.render.fakes import FakeFaults


async def test_requests_pass_unchanged(world: World) -> None:
    answer = await world.visit(
        path="/accounts/1%2F2?q=a%20b", method="PUT", content=b"payload", headers={"X-Trace": "7"}
    )
    seen = answer.json()
    assert (seen["method"], seen["path"], seen["body"]) == ("PUT", "/accounts/1%2F2?q=a%20b", "payload")
    assert answer.headers["X-App"] == "crm"


async def test_the_platform_tells_the_app_what_it_runs(world: World) -> None:
    env = (await world.visit()).json()["env"]
    assert env["COMMIT"] == env["RENDER_GIT_COMMIT"] == world.first
    assert env["RENDER_GIT_BRANCH"] == "main"
    assert env["RENDER_INSTANCE_ID"].startswith(BACKEND)


async def test_too_large_a_request_is_refused(world: World) -> None:
    answer = await world.visit(method="POST", content=b"x" * (10 * 2**20 + 1))
    assert answer.status_code == 413


async def test_requests_are_counted_by_status(world: World, api: httpx.AsyncClient) -> None:
    for path in ("/", "/x", "/broken"):
        await world.visit(path=path)
    await world.visit(FRONTEND)
    assert await _counts(api, {"resource": BACKEND}) == {"200": 2, "500": 1}
    assert await _counts(api, {"resource": BACKEND, "path": "/broken"}) == {"500": 1}
    assert await _counts(api, {"resource": BACKEND, "host": "other"}) == {}
    assert await _counts(api, {"resource": [BACKEND, FRONTEND]}) == {"200": 3, "500": 1}
    past = {"resource": BACKEND, "startTime": "2020-01-01T00:00:00Z", "endTime": "2020-01-02T00:00:00Z"}
    assert await _counts(api, past) == {}


async def test_latency_is_given_by_quantile(world: World, api: httpx.AsyncClient) -> None:
    for _ in range(4):
        await world.visit()
    params: dict[str, Any] = {"resource": BACKEND, "quantile": [0.5, 0.99]}
    series = (await api.get("/metrics/http-latency", params=params)).json()
    quantiles = [{label["field"]: label["value"] for label in item["labels"]}["quantile"] for item in series]
    assert quantiles == ["0.5", "0.99"]
    assert all(value["value"] > 0 for item in series for value in item["values"])


async def test_instances_are_measured(start_world: StartWorld) -> None:
    world = await start_world()
    async with world.client() as api:

        async def measured() -> list[dict[str, Any]]:
            response = await api.get("/metrics/cpu", params={"resource": BACKEND})
            series: list[dict[str, Any]] = response.json()
            return series

        await eventually(measured)
        memory = (await api.get("/metrics/memory", params={"resource": BACKEND})).json()
        assert memory[0]["unit"] == "bytes"
        assert memory[0]["values"][0]["value"] > 2**20


async def test_a_user_who_hangs_up_is_logged(world: World, api: httpx.AsyncClient) -> None:
    (app,) = [app for app in world.apps.running if app.env["RENDER_SERVICE_ID"] == BACKEND]
    visit = asyncio.create_task(world.visit(path="/wait"))
    await app.waiting.wait()
    visit.cancel()
    app.release.set()
    assert await eventually(lambda: _counts(api, {"resource": BACKEND, "path": "/wait"}))


async def test_a_process_that_is_gone_has_no_usage() -> None:
    process = await asyncio.create_subprocess_exec("true")
    await process.wait()
    assert await usage_of(process.pid) is None


async def test_usage_without_proc_comes_from_ps() -> None:
    process = await asyncio.create_subprocess_exec("sleep", "30")
    try:
        usage = await _from_ps(process.pid)
    finally:
        process.kill()
        await process.wait()
    assert usage is not None
    assert usage.memory_bytes > 0


@pytest.mark.parametrize(
    ("root", "paths", "ignored", "file", "triggers"),
    [
        ("", (), (), "any/file.js", True),
        ("api", (), (), "api/x.js", True),
        ("api/", (), (), "apiary/x.js", False),
        ("", ("services/**",), (), "services/a/b.js", True),
        ("", ("services/*",), (), "services/a/b.js", False),
        ("", ("**/*.sql",), (), "020.sql", True),
        ("", ("file?.[jt]s",), (), "file1.ts", True),
        ("", ("file[!0-9].js",), (), "file1.js", False),
        ("web", ("packages/ui/**",), (), "packages/ui/x.js", True),
        ("web", ("packages/ui/**",), (), "web/x.js", False),
        ("web", (), ("web/docs/**",), "web/docs/a.md", False),
        ("", ("a.js",), ("a.js",), "a.js", False),
    ],
)
def test_what_triggers_a_build(
    root: str, paths: tuple[str, ...], ignored: tuple[str, ...], file: str, triggers: bool
) -> None:
    seed = ServiceSeed(
        "srv-1", "x", "devtest", "backend", "main", 1, 1, root_dir=root, build_filter=BuildFilter(paths, ignored)
    )
    state = newborn(WorldSeed("tea-1", "token", (seed,), ()), FakeFaults())
    assert triggers_build(state.services["srv-1"], [file]) is triggers


def test_a_push_without_changes_concerns_only_services_without_a_filter() -> None:
    seeds = (
        ServiceSeed("srv-1", "x", "devtest", "backend", "main", 1, 1),
        ServiceSeed("srv-2", "y", "devtest", "backend", "main", 1, 1, root_dir="api"),
    )
    services = newborn(WorldSeed("tea-1", "token", seeds, ()), FakeFaults()).services
    assert [triggers_build(service, []) for service in services.values()] == [True, False]


async def _counts(api: httpx.AsyncClient, params: dict[str, Any]) -> dict[str, int]:
    response = await api.get("/metrics/http-requests", params=params | {"aggregateBy": "statusCode"})
    counts: dict[str, int] = {}
    for series in response.json():
        status = {label["field"]: label["value"] for label in series["labels"]}["statusCode"]
        counts[status] = counts.get(status, 0) + sum(value["value"] for value in series["values"])
    return counts
