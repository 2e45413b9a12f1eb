"""The life of a deploy, from a push or a request to live."""

import asyncio
from typing import Any

import httpx

from tests.sandbox.render.conftest import (
    BACKEND,
    FRONTEND,
    STAGING,
    StartWorld,
    World,
    deploy_in,
    deploys_of,
    eventually,
)

SLOW = 60.0


async def test_a_new_workspace_serves_the_branches_it_tracks(world: World, api: httpx.AsyncClient) -> None:
    for service in (BACKEND, FRONTEND, STAGING):
        (deploy,) = await deploys_of(api, service)
        assert (deploy["status"], deploy["commit"]["id"]) == ("live", world.first)
        assert (await world.visit(service)).json()["version"] == "v1"


async def test_a_push_deploys_the_services_that_track_the_branch(world: World, api: httpx.AsyncClient) -> None:
    commit = await world.push(version="v2", **{"frontend/index.html": "<h1>2</h1>"})
    for service in (BACKEND, FRONTEND):
        deploy = await deploy_in(api, service, "live", commit=commit)
        assert deploy["trigger"] == "new_commit"
        assert deploy["createdAt"] <= deploy["startedAt"] <= deploy["finishedAt"] <= deploy["updatedAt"]
        assert (await world.visit(service)).json()["version"] == "v2"
        assert [old["status"] for old in await deploys_of(api, service)] == ["live", "deactivated"]
    assert len(await deploys_of(api, STAGING)) == 1


async def test_a_push_is_seen_without_being_told(world: World, api: httpx.AsyncClient) -> None:
    commit = world.source.push("main", "Quiet push", {"version.txt": "v2"})
    assert await deploy_in(api, BACKEND, "live", commit=commit)


async def test_a_deploy_passes_through_its_statuses(world: World, api: httpx.AsyncClient) -> None:
    world.source.may_check_out.clear()
    world.apps.may_be_healthy.clear()
    commit = await world.push(version="v2")
    building = await deploy_in(api, BACKEND, "build_in_progress", commit=commit)
    assert "finishedAt" not in building
    world.source.may_check_out.set()
    await deploy_in(api, BACKEND, "update_in_progress", commit=commit)
    assert (await world.visit()).json()["version"] == "v1"
    world.apps.may_be_healthy.set()
    live = await deploy_in(api, BACKEND, "live", commit=commit)
    assert live["id"] == building["id"]
    events = (await api.get(f"/services/{BACKEND}/events")).json()
    types = [item["event"]["type"] for item in events[:4]]
    assert types == ["deploy_ended", "deploy_started", "build_ended", "build_started"]


async def test_behind_a_deploy_that_switches_over_another_one_waits(world: World, api: httpx.AsyncClient) -> None:
    world.apps.may_be_healthy.clear()
    commit = await world.push(version="v2")
    await deploy_in(api, BACKEND, "update_in_progress", commit=commit)
    response = await api.post(f"/services/{BACKEND}/deploys", json={"commitId": world.first})
    assert (response.status_code, response.content) == (202, b"")
    queued, _, _ = await deploys_of(api, BACKEND)
    assert (queued["status"], queued["commit"]["id"]) == ("queued", world.first)
    world.apps.may_be_healthy.set()
    assert (await deploy_in(api, BACKEND, "live", commit=world.first))["id"] == queued["id"]


async def test_a_commit_message_can_forbid_the_deploy(world: World, api: httpx.AsyncClient) -> None:
    for words in ("[skip render]", "[Skip Deploy]", "[skip cd]", "[render skip]"):
        commit = await world.push(message=f"Merge staging {words}")
        assert len(await deploys_of(api, BACKEND)) == 1, words
        events = (await api.get(f"/services/{BACKEND}/events", params={"type": "commit_ignored"})).json()
        assert events[0]["event"]["details"]["id"] == commit


async def test_root_directory_and_build_filter_decide(world: World, api: httpx.AsyncClient) -> None:
    count = 1
    for file, deployed in (("frontend/a.js", True), ("services/a.js", False), ("frontend/README.md", False)):
        world.source.push("main", "Change one file", {file: "changed"})
        await world.stand_in.branch_moved("main")
        count += deployed
        assert len(await deploys_of(api, FRONTEND)) == count, file
    assert len(await deploys_of(api, BACKEND)) == 4


async def test_autodeploy_can_be_off(world: World, api: httpx.AsyncClient) -> None:
    for setting in ({"autoDeploy": "no"}, {"autoDeployTrigger": "checksPass"}):
        assert (await api.patch(f"/services/{BACKEND}", json=setting)).status_code == 200
        await world.push()
        assert len(await deploys_of(api, BACKEND)) == 1, setting
    assert (await api.patch(f"/services/{BACKEND}", json={"autoDeploy": "yes"})).status_code == 200
    await world.push()
    assert len(await deploys_of(api, BACKEND)) == 2


async def test_a_branch_that_is_not_tracked_deploys_nothing(world: World, api: httpx.AsyncClient) -> None:
    await world.push("devtest")
    assert [len(await deploys_of(api, service)) for service in (BACKEND, FRONTEND, STAGING)] == [1, 1, 1]


async def test_tracking_another_branch_deploys_with_its_next_push(world: World, api: httpx.AsyncClient) -> None:
    patched = await api.patch(f"/services/{BACKEND}", json={"branch": "release"})
    assert patched.json()["branch"] == "release"
    await world.push("main")
    assert len(await deploys_of(api, BACKEND)) == 1
    commit = await world.push("release", version="hotfix")
    assert await deploy_in(api, BACKEND, "live", commit=commit)


async def test_a_new_deploy_cancels_the_one_that_builds(start_world: StartWorld) -> None:
    world = await start_world(pace=SLOW)
    async with world.client() as api:
        overtaken = await world.push(version="v2")
        await deploy_in(api, BACKEND, "build_in_progress", commit=overtaken)
        response = await api.post(f"/services/{BACKEND}/deploys", json={"commitId": world.first[:7]})
        assert response.status_code == 201
        cancelled = await deploy_in(api, BACKEND, "canceled", commit=overtaken)
        assert cancelled["finishedAt"]
        assert await deploy_in(api, BACKEND, "build_in_progress", commit=world.first)


async def test_behind_a_running_deploy_the_latest_one_waits(start_world: StartWorld) -> None:
    world = await start_world(overlap="wait")
    async with world.client() as api:
        world.source.may_check_out.clear()
        running = await world.push(version="v2")
        for _ in range(2):
            response = await api.post(f"/services/{BACKEND}/deploys", json={"commitId": world.first})
            assert (response.status_code, response.content) == (202, b"")
        newest, middle, oldest, _ = await deploys_of(api, BACKEND)
        assert (newest["status"], middle["status"]) == ("queued", "canceled")
        assert oldest["commit"]["id"] == running
        world.source.may_check_out.set()
        live = await deploy_in(api, BACKEND, "live", commit=world.first)
        assert live["id"] == newest["id"]
        assert (await deploys_of(api, BACKEND))[2]["status"] == "deactivated"


async def test_a_running_deploy_can_be_cancelled(start_world: StartWorld) -> None:
    world = await start_world(pace=SLOW)
    async with world.client() as api:
        commit = await world.push(version="v2")
        deploy = await deploy_in(api, BACKEND, "build_in_progress", commit=commit)
        path = f"/services/{BACKEND}/deploys/{deploy['id']}/cancel"
        assert (await api.post(path)).json()["status"] == "canceled"
        assert (await api.post(path)).status_code == 400
        assert (await world.visit()).json()["version"] == "v1"


async def test_an_unhealthy_instance_never_serves(world: World, api: httpx.AsyncClient) -> None:
    commit = await world.push(version="healthy: no")
    assert await deploy_in(api, BACKEND, "update_failed", commit=commit)
    assert (await world.visit()).json()["version"] == "v1"
    assert len([app for app in world.apps.running if app.role == "backend"]) == 2


async def test_requests_under_way_are_answered_by_the_old_instance(world: World, api: httpx.AsyncClient) -> None:
    (old,) = [app for app in world.apps.running if app.env["RENDER_SERVICE_ID"] == BACKEND]
    visit = asyncio.create_task(world.visit(path="/wait"))
    await old.waiting.wait()
    commit = await world.push(version="v2")
    await deploy_in(api, BACKEND, "live", commit=commit)
    assert not old.stopped
    old.release.set()
    assert (await visit).json()["version"] == "v1"
    await eventually(lambda: _true(old.stopped))


async def test_a_rollback_brings_the_old_build_with_its_variables(world: World, api: httpx.AsyncClient) -> None:
    (first,) = await deploys_of(api, BACKEND)
    await api.put(f"/services/{BACKEND}/env-vars/FLAG", json={"value": "new"})
    assert (await world.visit()).json()["env"]["FLAG"] == "old"
    await deploy_in(api, BACKEND, "live", commit=await world.push(version="v2"))
    assert (await world.visit()).json()["env"]["FLAG"] == "new"

    response = await api.post(f"/services/{BACKEND}/rollback", json={"deployId": first["id"]})
    assert (response.status_code, response.json()["trigger"]) == (201, "rollback")
    await deploy_in(api, BACKEND, "live", commit=world.first)
    seen = (await world.visit()).json()
    assert (seen["version"], seen["env"]["FLAG"], seen["env"]["COMMIT"]) == ("v1", "old", world.first)
    assert (await api.get(f"/services/{BACKEND}/env-vars/FLAG")).json()["value"] == "new"
    assert (await api.get(f"/services/{BACKEND}")).json()["autoDeploy"] == "yes"
    assert world.stand_in.world_report()["rollbacks"] == 1


async def test_a_restart_does_not_read_new_variables(world: World, api: httpx.AsyncClient) -> None:
    await api.put(f"/services/{BACKEND}/env-vars", json=[{"key": "FLAG", "value": "new"}])
    assert (await api.post(f"/services/{BACKEND}/restart")).status_code == 200
    env = (await world.visit()).json()["env"]
    assert (env["FLAG"], "DATABASE_URL" in env) == ("old", True)


async def test_a_suspended_service_answers_503_and_comes_back(world: World, api: httpx.AsyncClient) -> None:
    assert (await api.post(f"/services/{BACKEND}/suspend")).status_code == 202
    assert (await world.visit()).status_code == 503
    assert (await api.get(f"/services/{BACKEND}")).json()["suspended"] == "suspended"
    assert (await api.post(f"/services/{BACKEND}/deploys", json={})).status_code == 400
    await world.push(version="v2")
    assert (await api.post(f"/services/{BACKEND}/resume")).status_code == 202
    deploy = await deploy_in(api, BACKEND, "live")
    assert (deploy["trigger"], deploy["commit"]["id"]) == ("service_resumed", world.first)
    assert (await world.visit()).status_code == 200


async def test_maintenance_mode_hides_the_service(world: World, api: httpx.AsyncClient) -> None:
    for enabled, status in ((True, 503), (False, 200)):
        mode: dict[str, Any] = {"serviceDetails": {"maintenanceMode": {"enabled": enabled, "uri": ""}}}
        response = await api.patch(f"/services/{BACKEND}", json=mode)
        assert response.json()["serviceDetails"]["maintenanceMode"]["enabled"] is enabled
        assert (await world.visit()).status_code == status


async def test_a_dead_instance_is_replaced(world: World, api: httpx.AsyncClient) -> None:
    (app,) = [app for app in world.apps.running if app.env["RENDER_SERVICE_ID"] == BACKEND]
    await app.stop()
    assert (await world.visit()).status_code == 502

    async def back() -> bool:
        return (await world.visit()).status_code == 200

    await eventually(back)
    types = [item["event"]["type"] for item in (await api.get(f"/services/{BACKEND}/events")).json()]
    assert types[:2] == ["server_available", "server_failed"]


async def _true(value: bool) -> bool:
    return value
