"""Faults that practise what goes wrong with a provider: in its deploys, and in its API itself."""

import asyncio
import time
from itertools import pairwise
from typing import Any

import httpx
import pytest

from console.sandbox.render.api_faults import ApiFault, ApiFaults
from console.sandbox.render.limits import RateLimits
from tests.sandbox.render.conftest import (
    BACKEND,
    DATABASE,
    FRONTEND,
    STAGING,
    StartWorld,
    World,
    deploy_in,
    deploys_of,
    eventually,
)
from tests.sandbox.render.fakes import FakeFaults

NEW = {"version": "v2", "frontend/index.html": "<h1>2</h1>"}


async def test_wrong_branch_leaves_old_code_in_production(start_world: StartWorld) -> None:
    world = await start_world("wrong-branch")
    async with world.client() as api:
        assert (await api.get(f"/services/{BACKEND}")).json()["branch"] == "release"
        commit = await world.push(**NEW)
        await deploy_in(api, FRONTEND, "live", commit=commit)
        assert len(await deploys_of(api, BACKEND)) == 1
        assert (await world.visit()).json()["version"] == "v1"


@pytest.mark.parametrize(
    ("fault", "failing"),
    [
        ("build-fails", {BACKEND, FRONTEND}),
        ("build-fails=backend", {BACKEND}),
        ("build-fails=frontend", {FRONTEND}),
    ],
)
async def test_a_commit_that_does_not_build(start_world: StartWorld, fault: str, failing: set[str]) -> None:
    world = await start_world(fault)
    async with world.client() as api:
        commit = await world.push(**NEW)
        for service in (BACKEND, FRONTEND):
            status = "build_failed" if service in failing else "live"
            await deploy_in(api, service, status, commit=commit)
        for service in failing:
            again = (await api.post(f"/services/{service}/deploys", json={})).json()
            assert again["commit"]["id"] == commit
            await deploy_in(api, service, "build_failed", commit=commit)
            assert (await world.visit(service)).json()["version"] == "v1"
        repaired = await world.push(version="v3", **{"frontend/index.html": "3"})
        for service in (BACKEND, FRONTEND):
            await deploy_in(api, service, "live", commit=repaired)
        staging = await world.push("staging", version="v2")
        await deploy_in(api, STAGING, "live", commit=staging)


async def test_a_push_that_brings_the_old_commit_live(start_world: StartWorld) -> None:
    world = await start_world("deploys-other-commit")
    async with world.client() as api:
        commit = await world.push(**NEW)
        await deploy_in(api, BACKEND, "live")
        newest, _ = await deploys_of(api, BACKEND)
        assert (newest["trigger"], newest["commit"]["id"]) == ("new_commit", world.first)
        assert (await world.visit()).json()["version"] == "v1"
        await api.post(f"/services/{BACKEND}/deploys", json={"commitId": commit})
        await deploy_in(api, BACKEND, "live", commit=commit)


async def test_the_build_of_the_revert_fails_the_first_time_only(start_world: StartWorld) -> None:
    """A revert is known by its words, or by the files that it brings back; the release itself builds."""
    world = await start_world("rollback-build-fails")
    old = {"version": "v1", "frontend/index.html": "<h1>1</h1>"}
    async with world.client() as api:
        release = await world.push(**NEW)
        for service in (BACKEND, FRONTEND):
            await deploy_in(api, service, "live", commit=release)
        back = await world.push(message="As it was", **old)
        for service in (BACKEND, FRONTEND):
            await deploy_in(api, service, "build_failed", commit=back)
            await api.post(f"/services/{service}/deploys", json={"commitId": back})
            await deploy_in(api, service, "live", commit=back)
        assert (await world.visit()).json()["version"] == "v1"


async def test_a_revert_of_a_part_is_known_by_its_words(start_world: StartWorld) -> None:
    world = await start_world("rollback-build-fails=backend")
    async with world.client() as api:
        await world.push(**NEW)
        part = await world.push(message='Revert "Change"', version="v3", **{"frontend/index.html": "3"})
        await deploy_in(api, BACKEND, "build_failed", commit=part)
        await deploy_in(api, FRONTEND, "live", commit=part)


async def test_autodeploy_switched_on_again_deploys_the_release_once_more(start_world: StartWorld) -> None:
    """Nothing was pushed; it happens once, and not while there was no release."""
    world = await start_world("autodeploy-refires")
    path = f"/services/{BACKEND}"
    async with world.client() as api:
        for trigger in ("off", "commit"):
            await api.patch(path, json={"autoDeployTrigger": trigger})
        assert len(await deploys_of(api, BACKEND)) == 1
        release = await world.push(**NEW)
        await deploy_in(api, BACKEND, "live", commit=release)
        await api.patch(path, json={"autoDeployTrigger": "off"})
        back = await world.push(message="Revert", version="v1")
        await api.post(f"{path}/deploys", json={"commitId": back})
        await deploy_in(api, BACKEND, "live", commit=back)
        await api.patch(path, json={"autoDeployTrigger": "commit"})
        again = (await deploys_of(api, BACKEND))[0]
        assert (again["commit"]["id"], again["trigger"]) == (release, "new_commit")
        await deploy_in(api, BACKEND, "live", commit=release)
        count = len(await deploys_of(api, BACKEND))
        for trigger in ("off", "checksPass"):
            await api.patch(path, json={"autoDeployTrigger": trigger})
        assert len(await deploys_of(api, BACKEND)) == count
        assert not world.stand_in.world_report()["autodeploy_as_before"]


@pytest.mark.parametrize("kind", ["recovery", "creation"])
async def test_the_first_new_instance_fails_and_the_second_works(start_world: StartWorld, kind: str) -> None:
    world = await start_world("restore-fails")
    async with world.client() as api:

        async def make() -> str:
            if kind == "recovery":
                wish = {"restoreTime": "2026-02-04T20:00:00Z"}
                return str((await api.post(f"/postgres/{DATABASE}/recovery", json=wish)).json()["id"])
            model = (await api.get(f"/postgres/{DATABASE}")).json()
            wish = {"name": "crm-2", "plan": model["plan"], "ownerId": model["owner"]["id"], "version": "18"}
            return str((await api.post("/postgres", json=wish)).json()["id"])

        async def settled(identity: str) -> str | None:
            status: str = (await api.get(f"/postgres/{identity}")).json()["status"]
            return None if status == "creating" else status

        first, second = await make(), await make()
        assert await eventually(lambda: settled(first)) == "recovery_failed"
        assert await eventually(lambda: settled(second)) == "available"
        assert (await api.get(f"/postgres/{first}/connection-info")).status_code == 404
        assert (await api.get(f"/postgres/{second}/connection-info")).status_code == 200
        assert (await api.get(f"/postgres/{first}/recovery")).json() == {"recoveryStatus": "NOT_AVAILABLE"}


async def test_somebody_else_deploys_over_ours(start_world: StartWorld) -> None:
    world = await start_world("foreign-deploy")
    async with world.client() as api:
        commit = await world.push(**NEW)
        await deploy_in(api, BACKEND, "canceled", commit=commit)
        foreign = await deploy_in(api, BACKEND, "live", commit=world.first)
        assert foreign["trigger"] == "api"
        await deploy_in(api, FRONTEND, "live", commit=commit)
        await api.post(f"/services/{BACKEND}/deploys", json={"commitId": commit})
        await deploy_in(api, BACKEND, "live", commit=commit)


async def test_refused_requests_can_be_repeated(start_world: StartWorld) -> None:
    world = await start_world("api-429")
    async with world.client() as api:
        statuses = [(await api.get(f"/services/{BACKEND}")).status_code for _ in range(30)]
        refused = next(iter([await api.get("/services") for _ in range(9)]))
    assert statuses.count(429) == 4
    assert all(200 in pair for pair in pairwise(statuses))
    assert refused.headers["RateLimit-Limit"] == "400"


async def test_a_refusal_says_when_to_come_back(start_world: StartWorld) -> None:
    world = await start_world("api-429")
    async with world.client() as api:
        answers = [await api.get("/services") for _ in range(8)]
    (refused,) = [answer for answer in answers if answer.status_code == 429]
    assert (refused.headers["Retry-After"], refused.json()["message"]) == ("1", "rate limit exceeded")


async def test_an_error_does_not_tell_whether_the_work_was_done(start_world: StartWorld) -> None:
    world = await start_world("api-500")
    answers: list[tuple[int, bool]] = []
    async with world.client() as api:
        for number in range(16):
            path = f"/services/{BACKEND}/env-vars/KEY{number}"
            status = (await api.put(path, json={"value": "x"})).status_code
            done = (await _insist(api, path)).status_code == 200
            answers.append((status, done))
    assert {answer for answer in answers if answer[0] != 200} == {(500, True), (502, False)}
    assert all(done for status, done in answers if status == 200)


async def test_reads_fail_before_they_do_anything(start_world: StartWorld) -> None:
    world = await start_world("api-500")
    async with world.client() as api:
        statuses = [(await api.get("/services")).status_code for _ in range(20)]
    assert statuses.count(500) == 4
    assert all(200 in pair for pair in pairwise(statuses))


async def test_a_request_that_hangs_may_have_done_its_work(start_world: StartWorld) -> None:
    world = await start_world("api-timeout")
    async with world.client() as api:
        for _ in range(8):
            assert (await api.get("/services")).status_code == 200
        with pytest.raises(httpx.ReadTimeout):
            await api.post(f"/postgres/{DATABASE}/export", timeout=0.2)
        exports = (await api.get(f"/postgres/{DATABASE}/export")).json()
        assert len(exports) == 1


async def test_a_stop_lets_go_of_requests_that_hang(start_world: StartWorld) -> None:
    world = await start_world("api-timeout")
    async with world.client() as api:
        for _ in range(8):
            await api.get("/services")
        hanging = asyncio.create_task(api.get("/owners"))
        await eventually(lambda: _has_asked(world, "GET /owners"))
        began = time.monotonic()
        await world.stand_in.stop()
        assert (await hanging).status_code == 503
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("name", ["api-429", "api-500", "api-timeout"])
def test_no_path_is_hit_twice_in_a_row(name: str) -> None:
    faults = ApiFaults(FakeFaults(name, "api-429"))
    drawn = [(number % 3, faults.next("GET", f"/{number % 3}")) for number in range(400)]
    assert 40 < sum(fault is not None for _, fault in drawn) < 160
    for path in range(3):
        hits = [fault is not None for at, fault in drawn if at == path]
        assert not any(first and second for first, second in pairwise(hits))


def test_writes_hang_sometimes_after_and_sometimes_before_the_work() -> None:
    faults = ApiFaults(FakeFaults("api-timeout"))
    drawn = [faults.next("POST", f"/{number}") for number in range(60)]
    hits: list[ApiFault] = [fault for fault in drawn if fault is not None]
    assert {fault.kind for fault in hits} == {"hang"}
    assert {fault.after_work for fault in hits} == {True, False}


@pytest.mark.parametrize(
    ("requests", "limit"),
    [
        ([("GET", "/v1/services"), ("GET", "/v1/postgres/dpg-1")], 400),
        ([("PUT", "/v1/services/srv-1/env-vars/A"), ("POST", "/v1/postgres/dpg-1/export")], 30),
        ([("PATCH", "/v1/services/srv-1"), ("POST", "/v1/services/srv-1/deploys")], 10),
        ([("POST", "/v1/services/srv-1/suspend"), ("POST", "/v1/services/srv-1/resume")], 10),
    ],
)
def test_the_documented_limits(requests: list[tuple[str, str]], limit: int) -> None:
    now = 0.0
    limits = RateLimits(lambda: now)
    taken = [limits.take(*requests[number % 2]) for number in range(limit + 1)]
    assert [allowance.remaining for allowance in taken] == [*range(limit - 1, -1, -1), 0]
    assert [allowance.passed for allowance in taken] == [True] * limit + [False]
    refused = dict(taken[-1].headers())
    assert refused[b"retry-after"] == b"60"
    now = 60.0
    assert limits.take(*requests[0]).remaining == limit - 1


async def test_the_limit_of_a_service_is_its_own(world: World, api: httpx.AsyncClient) -> None:
    patch: dict[str, Any] = {"autoDeploy": "yes"}
    statuses = [(await api.patch(f"/services/{BACKEND}", json=patch)).status_code for _ in range(11)]
    assert statuses == [200] * 10 + [429]
    refused = await api.post(f"/services/{BACKEND}/suspend")
    assert (refused.status_code, 0 < int(refused.headers["Retry-After"]) <= 60) == (429, True)
    assert (await api.patch(f"/services/{FRONTEND}", json=patch)).status_code == 200
    assert (await world.visit()).status_code == 200


async def _has_asked(world: World, request: str) -> bool:
    report: dict[str, Any] = world.stand_in.world_report()
    return request in report["api_requests"]


async def _insist(api: httpx.AsyncClient, path: str) -> httpx.Response:
    """Ask again while the API has an error of its own."""
    while (response := await api.get(path)).status_code >= 500:
        pass
    return response
